/** Random instructions of the whole table, as objdump spells them. For tests. */
import {
  ANY_MEMORY,
  ANY_REGISTER,
  ANY_VSIB,
  EncodingKind,
  FormFlag,
  MODE_16,
  MODE_32,
  MODE_64,
  OperandBit,
  OperandCheck,
} from "./operand-bits.js";
import { coreForms, type Form, type FormOperand, vectorForms } from "./table.js";

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
  [OperandBit.m256, "YMMWORD PTR "],
  [OperandBit.m512, "ZMMWORD PTR "],
];
/** Elements of a broadcast by the field of the flags, and how many of the smallest fill memory of each width. */
const ELEMENT_WORDS = ["", "WORD BCST ", "DWORD BCST ", "QWORD BCST "];
const WIDTH_BITS: Readonly<Record<number, number>> = {
  [OperandBit.m32]: 32,
  [OperandBit.m64]: 64,
  [OperandBit.m128]: 128,
  [OperandBit.m256]: 256,
  [OperandBit.m512]: 512,
};

const LEGACY = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
const LOW_BYTES = ["al", "cl", "dl", "bl"];
const PAIRS_16 = ["bx+si", "bx+di", "bp+si", "bp+di", "si", "di", "bp", "bx"];
const DISPLACEMENTS = ["", "+0x1", "+0x7f", "-0x80", "+0x80", "-0x81", "+0x1234"];
const SEGMENTS = ["", "", "", "", "fs:", "gs:"];

/** Whose forms: the core's, or those that the vector entry adds. */
export type Entry = "core" | "vector";

/** `count` instructions, every one an encodable form of the table with random operands. The same for a seed. */
export function randomInstructions(
  count: number,
  bits: 16 | 32 | 64,
  seed: number,
  entry: Entry = "core",
): string[] {
  const random = generator(seed);
  const all = entry === "core" ? coreForms() : vectorForms();
  const forms = all.filter((form) => (form.modes & MODES[bits]!) !== 0 && isPlain(form));
  return Array.from({ length: count }, () => {
    const form = forms[random(forms.length)]!;
    const operands = form.operands.map((operand) => spell(operand, form, bits, random));
    if (form.kind === EncodingKind.evex) decorate(operands, form, bits, random);
    return `${form.mnemonic} ${operands.join(",")}`.trimEnd();
  });
}

/** Adds a mask, zeroing, a broadcast or a rounding mode to some of the operands of an EVEX form that takes them. */
function decorate(operands: string[], form: Form, bits: number, random: Random): void {
  const { flags } = form;
  const isRegister = operands.map((text) => !/[[:]/.test(text));
  const memory = form.operands.findIndex(({ accepts }) => (accepts & ANY_MEMORY) !== 0);
  const element = (flags >> FormFlag.broadcastShift) & 3;
  const last = form.operands.findLastIndex(({ accepts }) => (accepts & ANY_REGISTER) !== 0);
  if (element !== 0 && random(3) === 0) {
    const count = WIDTH_BITS[form.operands[memory]!.accepts & ANY_MEMORY]! / (8 << element);
    operands[memory] = `${ELEMENT_WORDS[element]}${address(bits, random)}{1to${count}}`;
  } else if (isRegister.every(Boolean)) {
    if ((flags & FormFlag.rounding) !== 0 && random(3) === 0)
      operands[last] += `{${["rn", "rd", "ru", "rz"][random(4)]}-sae}`;
    else if ((flags & FormFlag.suppressExceptions) !== 0 && random(3) === 0) operands[last] += "{sae}";
  }
  if ((flags & FormFlag.maskRequired) === 0 && ((flags & FormFlag.mask) === 0 || random(3) === 0)) return;
  const zeroing = isRegister[0] && (flags & FormFlag.zeroing) !== 0 && random(2) === 0;
  operands[0] += `{k${1 + random(7)}}${zeroing ? "{z}" : ""}`;
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

function spell(operand: FormOperand, form: Form, bits: number, random: Random): string {
  const { notation, accepts, check, fixed } = operand;
  const string = /^m(\d*)\((\w+)\)$/.exec(notation);
  if (string) return stringOperand(accepts, string[2]!, bits);
  if (fixed >= 0) return notation === "st(0)" ? "st" : notation;
  if ((accepts & OperandBit.imm) !== 0) return immediate(check, notation, random);
  if (check === OperandCheck.moffs) return `ds:0x${random(0x8000).toString(16)}`;
  if ((accepts & ANY_VSIB) !== 0) return vectorAddress(accepts, form, bits, random);
  const choices = registers(accepts, bits, form.kind === EncodingKind.evex);
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

function registers(accepts: number, bits: number, isEvex = false): string[] {
  const wide = bits === 64;
  const vectors = wide ? (isEvex ? 32 : 16) : 8;
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
  if (accepts & OperandBit.xmm) found.push(...numbered("xmm", vectors));
  if (accepts & OperandBit.ymm) found.push(...numbered("ymm", vectors));
  if (accepts & OperandBit.zmm) found.push(...numbered("zmm", vectors));
  if (accepts & OperandBit.k) found.push(...numbered("k", 8));
  if (accepts & OperandBit.bnd) found.push(...numbered("bnd", 4));
  if (accepts & OperandBit.tmm && wide) found.push(...numbered("tmm", 8));
  return found;
}

/** Memory with an index vector, as wide as its elements. */
function vectorAddress(accepts: number, form: Form, bits: number, random: Random): string {
  const file = accepts & OperandBit.vmx ? "xmm" : accepts & OperandBit.vmy ? "ymm" : "zmm";
  const isHigh = bits === 64 && form.kind === EncodingKind.evex && random(2) === 0;
  const bases = registers(bits === 64 ? OperandBit.r64 : OperandBit.r32, bits);
  const index = `${file}${random(8) + (isHigh ? 16 : 0)}*${1 << random(4)}`;
  return `${form.rexW ? "QWORD" : "DWORD"} PTR [${bases[random(bases.length)]}+${index}${DISPLACEMENTS[random(DISPLACEMENTS.length)]}]`;
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
