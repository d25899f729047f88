/** Programs to measure with: mixed integer instructions, a label every 20, as compilers and people write them. */

const WIDTHS = [
  ["dword ptr ", "eax ebx ecx edx esi edi ebp esp r8d r9d r10d r11d r12d r13d r14d r15d"],
  ["qword ptr ", "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15"],
].map(([word, names]) => ({ word, registers: names.split(" ") }));
const BYTES = "al bl cl dl sil dil bpl spl r8b r9b r10b r11b r12b r13b r14b r15b".split(" ");
const ADDRESSES = WIDTHS[1].registers;
const DISPLACEMENTS = ["", "+0x8", "-0x8", "+0x7f", "+0x80", "-0x80", "-0x81", "+0x1000", "+0x12345678"];
const IMMEDIATES = [1, 5, 127, 128, -1, -128, -129, 0x1234, 0x12345678, 255];
const ARITHMETIC = ["add", "sub", "cmp", "and", "or", "xor"];
const BRANCHES = ["jne", "je", "jl", "jg", "jae", "jmp"];
const LABEL_EVERY = 20;

/** Intel text that GNU as, llvm-mc and we read: `count` instructions. */
export function mixedProgram(count, seed = 1) {
  const next = random(seed);
  const pick = (list) => list[next(list.length)];
  const lines = [".intel_syntax noprefix", ".text"];
  const labels = Math.ceil(count / LABEL_EVERY);
  const address = (word) => {
    const index = next(2) ? `+${pick(ADDRESSES.filter((name) => name !== "rsp"))}*${1 << next(4)}` : "";
    return `${word}[${pick(ADDRESSES)}${index}${pick(DISPLACEMENTS)}]`;
  };
  const label = (here) => `L${Math.min(labels - 1, Math.max(0, here + next(9) - 4))}`;
  const shapes = [
    ({ registers }) => `mov ${pick(registers)}, ${pick(registers)}`,
    ({ registers, word }) => `mov ${pick(registers)}, ${address(word)}`,
    ({ registers, word }) => `mov ${address(word)}, ${pick(registers)}`,
    ({ registers }) => `${pick(ARITHMETIC)} ${pick(registers)}, ${pick(IMMEDIATES)}`,
    ({ registers }) => `${pick(ARITHMETIC)} ${pick(registers)}, ${pick(registers)}`,
    () => `lea ${pick(ADDRESSES)}, ${address("")}`,
    () => `test ${pick(BYTES)}, ${pick(BYTES)}`,
    () => `push ${pick(ADDRESSES)}`,
    (_, here) => `${pick(BRANCHES)} ${label(here)}`,
    (_, here) => `call ${label(here)}`,
    ({ registers }) => `shl ${pick(registers)}, ${1 + next(31)}`,
    ({ registers }) => `movzx ${pick(registers)}, ${next(2) ? pick(BYTES) : address("byte ptr ")}`,
    ({ registers }) => `imul ${pick(registers)}, ${pick(registers)}, ${pick(IMMEDIATES)}`,
  ];
  for (let i = 0; i < count; i++) {
    const here = Math.floor(i / LABEL_EVERY);
    if (i % LABEL_EVERY === 0) lines.push(`L${here}:`);
    lines.push(pick(shapes)(pick(WIDTHS), here));
  }
  return `${lines.join("\n")}\n`;
}

/** The same program as NASM spells it. */
export function toNasm(source) {
  const data = source
    .replace(/^\.(intel_syntax|text).*\n/gm, "")
    .replace(/^\.long /gm, "dd ")
    .replace(/^\.byte /gm, "db ");
  return `bits 64\n${data.replaceAll(" ptr ", " ")}`;
}

/** A generator of integers below a limit (xorshift32), the same on every run. */
function random(seed) {
  let state = (seed * 2654435761) | 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** A whole program: functions that call each other, loops, tables and strings. What NASM spells otherwise is left out. */
export function wholeProgram(seed) {
  const body = mixedProgram(400 + 100 * seed, seed)
    .trimEnd()
    .split("\n");
  const [head, rest] = [body.slice(0, 2), body.slice(2)];
  const labels = rest.filter((line) => line.endsWith(":")).map((line) => line.slice(0, -1));
  const lines = ["start:", "call f0", "jmp start"];
  rest.forEach((line, i) => {
    lines.push(line);
    if (i % 60 === 59)
      lines.push(`jmp f${Math.floor(i / 60)}`, "ret", `f${Math.floor(i / 60)}:`, "push rbp", "mov rbp, rsp");
  });
  const functions = Math.floor(rest.length / 60);
  lines.push("leave", "ret", "table:");
  const [bytes, words] = [[], []];
  for (let i = 0; i < functions; i++) {
    words.push(`f${i} - table`, `${labels[(i * 7) % labels.length]} - table`);
    bytes.push(i & 255, (i * 37) & 255);
  }
  return `${[...head, ...lines, `.long ${words.join(", ")}`, `.byte ${bytes.join(", ")}`].join("\n")}\n`;
}
