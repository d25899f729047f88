/** Loads a static x86-64 ELF executable and lays out its stack (System V psABI, "Initial Process Stack"). */

/** Where a position-independent program goes. */
const PIE_BASE = 0x1000_0000;
const PT_LOAD = 1;
const ET_DYN = 3;

export interface LoadedProgram {
  readonly entry: number;
  readonly stackPointer: number;
  /** First address behind the program. */
  readonly end: number;
}

export function loadProgram(
  ram: Uint8Array,
  elf: Uint8Array,
  args: readonly string[],
  top: number,
): LoadedProgram {
  const header = new DataView(elf.buffer, elf.byteOffset, elf.length);
  const base = header.getUint16(16, true) === ET_DYN ? PIE_BASE : 0;
  const u64 = (at: number) => Number(header.getBigUint64(at, true));
  const [phoff, phentsize, phnum] = [u64(32), header.getUint16(54, true), header.getUint16(56, true)];
  let end = 0;
  let phdr = 0;
  for (let n = 0; n < phnum; n++) {
    const at = phoff + n * phentsize;
    if (header.getUint32(at, true) !== PT_LOAD) continue;
    const [offset, vaddr, filesz, memsz] = [u64(at + 8), u64(at + 16), u64(at + 32), u64(at + 40)];
    ram.set(elf.subarray(offset, offset + filesz), base + vaddr);
    if (phoff >= offset && phoff < offset + filesz) phdr = base + vaddr + phoff - offset;
    end = Math.max(end, base + vaddr + memsz);
  }
  const entry = base + u64(24);
  const auxiliary = [
    [3, phdr],
    [4, phentsize],
    [5, phnum],
    [6, 4096],
    [7, 0],
    [9, entry],
    [16, 0],
    [17, 100],
    [23, 0],
  ] as const;
  return { entry, end, stackPointer: layOutStack(ram, top, args, auxiliary) };
}

function layOutStack(
  ram: Uint8Array,
  top: number,
  args: readonly string[],
  auxiliary: readonly (readonly [number, number])[],
): number {
  const view = new DataView(ram.buffer, ram.byteOffset);
  let at = top - 64;
  const random = at;
  for (let n = 0; n < 16; n++) ram[random + n] = n * 7 + 1;
  const pointers = args.map((argument) => {
    const bytes = new TextEncoder().encode(`${argument}\0`);
    at -= bytes.length;
    ram.set(bytes, at);
    return at;
  });
  const words = [args.length, ...pointers, 0, 0, ...auxiliary.flat(), 25, random, 0, 0];
  const stackPointer = (at - words.length * 8) & ~15;
  words.forEach((word, n) => {
    view.setBigUint64(stackPointer + n * 8, BigInt(word), true);
  });
  return stackPointer;
}
