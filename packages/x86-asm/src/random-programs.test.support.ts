/** Random programs in GNU as's dialect: branches of every distance, alignments, gaps, data, repetitions. For tests. */

type Random = (limit: number) => number;

const REGISTERS: Readonly<Record<number, string>> = { 16: "ax", 32: "eax", 64: "rax" };
const JUMPS = ["jmp", "je", "jne", "ja", "jl"];
/** Statements for each label. */
const SPACING = 6;
/** How far, in labels, a branch aims. */
const REACH = 15;

/** A program for a mode; the same for a seed. */
export function randomProgram(bits: 16 | 32 | 64, seed: number): string {
  const random = generator(seed);
  const count = 200 + random(800);
  const labels = Math.floor(count / SPACING);
  const lines = [".intel_syntax noprefix", `.code${bits}`];
  for (let i = 0, next = 0; i < count; i++) {
    if (i % SPACING === 0 && next < labels) lines.push(`L${next++}:`);
    lines.push(...statement(next, labels, bits, random));
  }
  for (let next = Math.ceil(count / SPACING); next < labels; next++) lines.push(`L${next}:`);
  return `${lines.join("\n")}\n`;
}

function statement(here: number, labels: number, bits: number, random: Random): string[] {
  const label = () => `L${Math.max(0, Math.min(labels - 1, here + random(2 * REACH + 1) - REACH))}`;
  switch (random(16)) {
    case 0:
      return [`.align ${1 << random(7)}`];
    case 1:
      return [`.p2align ${random(6)},,${random(20)}`];
    case 2:
      return [`.balign ${1 << random(6)}, ${random(256)}`];
    case 3:
      return [`.skip ${random(60)}`];
    case 4:
      return [`.long ${label()} - ${label()}`, `call ${label()}`];
    case 5:
      return [`.rept ${random(4)}`, "nop", `jmp ${label()}`, ".endr"];
    case 6:
      return ["1: jmp 1b", "jmp 1f", `.skip ${random(140)}`, "1:"];
    case 7:
      return [`.fill ${random(5)}, ${1 + random(8)}, ${random(65536)}`];
    case 8:
      return [`jmp ${label()} + ${random(10)}`];
    case 9:
    case 10:
      return [`mov ${REGISTERS[bits]}, ${random(1000)}`];
    default:
      return [`${JUMPS[random(JUMPS.length)]} ${label()}`];
  }
}

function generator(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}
