/** Random instructions of the whole table, as objdump spells them. For tests. */
import { MODE_16, MODE_32, MODE_64, OperandBit, OperandCheck } from "./operand-bits.js";
import { coreForms, type Form, type FormOperand } from "./table.js";

type Random = (limit: number) => number;

const MODES: Readonly<Record<number, number>> = { 16: MODE_16, 32: MODE_32, 64: MODE_64 };

const WIDTH_WORDS: readonly (readonly [bit: number, word: string])[] = [
  [OperandBit.m8, "BYTE PTR "],
  [OperandBit.m16, "WORD PTR "],
  [OperandBit.m32, "DWORD PTR "],
  [OperandBit.m48, "FWORD PTR "],
  [OperandBit.m64, "QWORD PTR "],
  [OperandBit.m80, "TBYTE PTR "],
  [OperandBit.m128, "XMMWORD PTR "],
];

const LEGACY = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
const LOW_BYTES = ["al", "cl", "dl", "bl"];
const PAIRS_16 = ["bx+si", "bx+di", "bp+si", "bp+di", "si", "di", "bp", "bx"];
const DISPLACEMENTS = ["", "+0x1", "+0x7f", "-0x80", "+0x80", "-0x81", "+0x1234"];
const SEGMENTS = ["", "", "", "", "fs:", "gs:"];

/** `count` instructions, every one an encodable form of the table with random operands. The same for a seed. */
export function randomInstructions(count: number, bits: 16 | 32 | 64, seed: number): string[] {
  const random = generator(seed);
  const forms = coreForms().filter((form) => (form.modes & MODES[bits]!) !== 0 && isPlain(form));
  return Array.from({ length: count }, () => {
    const form = forms[random(forms.length)]!;
    const operands = form.operands.map((operand) => spell(operand, bits, random));
    return `${form.mnemonic} ${operands.join(",")}`.trimEnd();
  });
}

/** Branches depend on where they stand; far jumps and calls are spelled otherwise. */
function isPlain({ mnemonic, operands }: Form): boolean {
  const isBranch = operands.some(({ accepts }) => (accepts & (OperandBit.rel | OperandBit.far)) !== 0);
  return !isBranch && !/^l(jmp|call)$/.test(mnemonic);
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

function spell(operand: FormOperand, bits: number, random: Random): string {
  const { notation, accepts, check, fixed } = operand;
  const string = /^m(\d*)\((\w+)\)$/.exec(notation);
  if (string) return stringOperand(accepts, string[2]!, bits);
  if (fixed >= 0) return notation === "st(0)" ? "st" : notation;
  if ((accepts & OperandBit.imm) !== 0) return immediate(check, notation, random);
  if (check === OperandCheck.moffs) return `ds:0x${random(0x8000).toString(16)}`;
  const choices = registers(accepts, bits);
  const words = WIDTH_WORDS.filter(([bit]) => (accepts & bit) !== 0);
  if (words.length === 0 || (choices.length > 0 && random(2) === 0)) return choices[random(choices.length)]!;
  return (words.length === 1 ? words[0]![1] : "") + address(bits, random);
}

function stringOperand(accepts: number, register: string, bits: number): string {
  const word = WIDTH_WORDS.filter(([bit]) => (accepts & bit) !== 0);
  const prefix = bits === 64 ? "r" : bits === 32 ? "e" : "";
  return `${word.length === 1 ? word[0]![1] : ""}${register === "di" ? "es" : "ds"}:[${prefix}${register}]`;
}

function immediate(check: number, notation: string, random: Random): string {
  switch (check) {
    case OperandCheck.one:
    case OperandCheck.three:
      return notation;
    case OperandCheck.imm8:
      return hex(random(0x100));
    case OperandCheck.imm16:
      return hex(random(0x10000));
    case OperandCheck.imm32:
      return hex(random(2 ** 32));
    case OperandCheck.imm64:
      return `0x${(BigInt(random(2 ** 31)) * 2n ** 33n + BigInt(random(2 ** 32))).toString(16)}`;
    case OperandCheck.simm32:
      return signed(random(2 ** 32) - 2 ** 31);
    default:
      return signed(random(0x100) - 0x80);
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function signed(value: number): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : hex(value);
}

function registers(accepts: number, bits: number): string[] {
  const wide = bits === 64;
  const numbered = (prefix: string, count: number, suffix = "") =>
    Array.from({ length: count }, (_, i) => `${prefix}${i}${suffix}`);
  const upper = (suffix: string) => (wide ? numbered("r", 16, suffix).slice(8) : []);
  const found: string[] = [];
  if (accepts & OperandBit.r8)
    found.push(...LOW_BYTES, ...(wide ? ["spl", "dil", ...upper("b")] : ["ah", "bh"]));
  if (accepts & OperandBit.r16) found.push(...LEGACY, ...upper("w"));
  if (accepts & OperandBit.r32) found.push(...LEGACY.map((name) => `e${name}`), ...upper("d"));
  if (accepts & OperandBit.r64) found.push(...LEGACY.map((name) => `r${name}`), ...upper(""));
  if (accepts & OperandBit.sreg) found.push("es", "ss", "ds", "fs", "gs");
  if (accepts & OperandBit.cr) found.push("cr0", "cr2", "cr3", "cr4");
  if (accepts & OperandBit.dr) found.push("db0", "db6", "db7");
  if (accepts & OperandBit.st) found.push(...Array.from({ length: 8 }, (_, i) => `st(${i})`));
  if (accepts & OperandBit.mm) found.push(...numbered("mm", 8));
  if (accepts & OperandBit.xmm) found.push(...numbered("xmm", wide ? 16 : 8));
  return found;
}

function address(bits: number, random: Random): string {
  const segment = SEGMENTS[random(SEGMENTS.length)]!;
  const displacement = DISPLACEMENTS[random(DISPLACEMENTS.length)]!;
  const addressBits = random(6) === 0 ? (bits === 32 ? 16 : 32) : bits;
  if (random(10) === 0) return `${segment || "ds:"}${hex(random(0x8000))}`;
  if (addressBits === 16) return `${segment}[${PAIRS_16[random(8)]}${displacement}]`;
  const names = registers(addressBits === 64 ? OperandBit.r64 : OperandBit.r32, bits);
  if (bits === 64 && random(10) === 0) return `${segment}[rip${displacement || "+0x0"}]`;
  const base = names[random(names.length)]!;
  const index = names[random(names.length)]!;
  if (random(2) === 0 || index.endsWith("sp")) return `${segment}[${base}${displacement}]`;
  return `${segment}[${base}+${index}*${1 << random(4)}${displacement}]`;
}
