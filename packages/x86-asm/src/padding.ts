/** Filling gaps: with a pattern, or with the NOPs that GNU as chooses for its generic processors. */
import type { Padding } from "./sections.js";

/** NOPs by length minus 1 (SDM Vol. 2B, NOP, "Recommended Multi-Byte Sequence of NOP Instruction"). */
const LONG_NOPS: readonly (readonly number[])[] = [
  [0x90],
  [0x66, 0x90],
  [0x0f, 0x1f, 0x00],
  [0x0f, 0x1f, 0x40, 0x00],
  [0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x0f, 0x1f, 0x80, 0, 0, 0, 0],
  [0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
  [0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
  [0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
  [0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
];
/** `lea si, [si+0]` in 16-bit mode: processors before the 686 have no other NOP. */
const LEA_NOPS: readonly (readonly number[])[] = [
  [0x90],
  [0x66, 0x90],
  [0x8d, 0x74, 0x00],
  [0x8d, 0xb4, 0x00, 0x00],
];
/** More NOPs than these are jumped over. */
const MAX_LONG_NOPS = 7;
const MAX_LEA_NOPS = 2;
const MAX_SHORT_JUMP = 127;

/** Bytes up to the next multiple of `align`. */
export function padding(offset: number, align: number): number {
  const rest = offset % align;
  return rest === 0 ? 0 : align - rest;
}

/** Fills `size` bytes at `at`. */
export function writePadding(out: Uint8Array, at: number, size: number, { pattern, bits }: Padding): void {
  if (pattern === null) writeNops(out, at, size, bits);
  else if (pattern.length === 1) out.fill(pattern[0]!, at, at + size);
  else for (let i = 0; i < size; i++) out[at + i] = pattern[i % pattern.length]!;
}

function writeNops(out: Uint8Array, at: number, size: number, bits: number): void {
  const nops = bits === 16 ? LEA_NOPS : LONG_NOPS;
  const end = at + size;
  if (Math.floor(size / nops.length) > (bits === 16 ? MAX_LEA_NOPS : MAX_LONG_NOPS)) {
    at = writeJump(out, at, size, bits);
  }
  while (at < end) {
    const nop = nops[Math.min(end - at, nops.length) - 1]!;
    out.set(nop, at);
    at += nop.length;
  }
}

/** A jump over the gap; returns the offset behind it. */
function writeJump(out: Uint8Array, at: number, size: number, bits: number): number {
  if (size - 2 <= MAX_SHORT_JUMP) {
    out.set([0xeb, size - 2], at);
    return at + 2;
  }
  const opcode = bits === 16 ? [0x66, 0xe9] : [0xe9];
  const distance = size - opcode.length - 4;
  out.set([...opcode, distance & 255, (distance >> 8) & 255, (distance >> 16) & 255, distance >> 24], at);
  return at + opcode.length + 4;
}
