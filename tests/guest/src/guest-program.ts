/**
 * The guest half of a test: a static program in ring 3, written with the assembler's builder, that makes system calls
 * and reports what it sees.
 */

import { writeElf } from "@kvmkit/elf";
import { SYSCALLS, type SyscallName } from "@kvmkit/guest-kernel/abi";
import {
  Assembler,
  link,
  mem,
  type Register,
  r8,
  r9,
  r10,
  rax,
  rcx,
  rdi,
  rdx,
  rsi,
  SymbolReference,
  sym,
} from "@kvmkit/x86-asm";

type Register64 = Register<"r64">;
/** A linked guest program: its ELF file, and where its labels lie. */
export interface GuestImage {
  readonly elf: Uint8Array;
  address(label: string): bigint;
}

/** What an argument is: a constant, the contents of a register, or the address of a symbol. */
export type Value = number | bigint | Register64 | SymbolReference;

/** Number of the hypercall that hands a value to the host half. */
export const REPORT = 0x1000;
export const TEXT_ADDRESS = 0x40_0000n;
export const DATA_ADDRESS = 0x60_0000n;

const ARGUMENT_REGISTERS = [rdi, rsi, rdx, r10, r8, r9] as const;
const SEGMENT = { READ: 4, WRITE: 2, EXECUTE: 1 } as const;

export class GuestProgram {
  /** For what has no method here. rbx, rbp and r12 to r15 keep their values over `call` and `report`. */
  readonly a = new Assembler({ bits: 64 });
  #labels = 0;

  constructor() {
    this.a.section(".text").label("_start");
    this.a.section(".data", { align: 16 });
    this.a.section(".bss", { align: 4096 });
    this.a.section(".text");
  }

  /** A label that is not taken. */
  fresh(): string {
    return `label_${this.#labels++}`;
  }

  /** A system call by name or number. The result is in rax. Register arguments are ones that calls preserve. */
  call(call: SyscallName | number, ...args: readonly Value[]): this {
    args.forEach((value, i) => {
      this.load(ARGUMENT_REGISTERS[i]!, value);
    });
    this.load(rax, typeof call === "number" ? call : syscallNumber(call));
    this.a.syscall();
    return this;
  }

  load(register: Register64, value: Value): this {
    if (typeof value === "number" || typeof value === "bigint") this.a.movabs(register, value);
    else if (value instanceof SymbolReference) this.a.movabs(register, value);
    else if (value !== register) this.a.mov(register, value);
    return this;
  }

  /** Reports a value, by default rax. */
  report(value: Value = rax): this {
    return this.load(rdi, value).call(REPORT);
  }

  /** Reads, or writes 0x5a to, one byte of each of `count` pages from the address in `register`. Clobbers rcx. */
  touch(register: Register64, count: number, access: "read" | "write" = "write"): this {
    const { a } = this;
    const loop = this.fresh();
    a.push(register);
    a.mov(rcx, count);
    a.label(loop);
    if (access === "write") a.mov(mem.byte(register), 0x5a);
    else a.test(mem.byte(register), 0);
    a.add(register, 4096);
    a.dec(rcx);
    a.jnz(loop);
    a.pop(register);
    return this;
  }

  exit(status = 0): this {
    return this.call("exit_group", status);
  }

  /** A zeroed, page-aligned array in .bss. */
  array(label: string, sizeBytes: number): SymbolReference {
    this.a.section(".bss").align(4096).label(label).zero(sizeBytes).section(".text");
    return sym(label);
  }

  /** Bytes in .data. */
  data(label: string, bytes: Uint8Array | string): SymbolReference {
    this.a.section(".data").align(16).label(label).db(bytes).section(".text");
    return sym(label);
  }

  /** Links it. Ends the program with exit 0, in case it gets there. */
  build(): GuestImage {
    this.exit();
    this.array("unused", 16);
    this.data("unused_data", Uint8Array.of(0));
    const image = link(this.a.assemble(), { origins: { ".text": TEXT_ADDRESS, ".data": DATA_ADDRESS } });
    const section = (name: string) => image.sections.find((candidate) => candidate.name === name)!;
    const [text, data, bss] = [section(".text"), section(".data"), section(".bss")];
    const dataEnd = bss.address + BigInt(bss.sizeBytes);
    const elf = writeElf({
      kind: "executable",
      entry: image.symbols.get("_start")!.address,
      segments: [
        { vaddr: text.address, bytes: text.bytes, flags: SEGMENT.READ | SEGMENT.EXECUTE },
        {
          vaddr: data.address,
          bytes: data.bytes,
          memSizeBytes: dataEnd - data.address,
          flags: SEGMENT.READ | SEGMENT.WRITE,
        },
      ],
    });
    return { elf, address: (label) => image.symbols.get(label)!.address };
  }
}

export function syscallNumber(name: SyscallName): number {
  return SYSCALLS.find((row) => row.name === name)!.nr;
}
