/**
 * The notation of instruction rows, and its parser.
 *
 * A row is `[instruction, encoding, attributes]`, in the notation of the Intel SDM's instruction pages
 * (Vol. 2A, "Instruction Format"):
 *
 *     ["add r/mv, simm8", "ov 83 /0 ib", "8086 lock"]
 *
 * **Order is meaning.** The first row of a mnemonic that fits an instruction encodes it, so rows stand in the
 * order in which GNU as prefers them (mostly: shortest first; `r/m, r` before `r, r/m`).
 *
 * Instruction: the mnemonic and its operands in Intel order.
 * - `r8 r16 r32 r64 sreg cr dr tr st(i) mm xmm ymm zmm k bnd tmm`: any register of that file;
 *   `al cl ax dx eax … es cs … st(0) xmm0`: that register alone;
 * - `m m8 m16 m32 m48 m64 m80 m128 m256 m512`: memory (`m` of any width), and the SDM's names for structures:
 *   `m16:16 m16:32 m16:64` far pointers, `m16&32 m16&64` descriptor-table registers (any width);
 * - `m8(si) m16(di) m8(bx)`: memory at that register, of any address size, as string instructions use it;
 * - `r/m32`, `mm/m64`, `xmm/m64`, `r32/m16`: one of them;
 * - `imm4 imm8 imm16 imm32 imm64 1 3`: immediates, signed or unsigned; `simm8 simm32`: sign-extended ones;
 * - `rel8 rel16 rel32`, `ptr16:16 ptr16:32`, `moffs8 moffs16 moffs32 moffs64`;
 * - `<xmm0>`: an operand in angle brackets may be left out.
 *
 * Encoding: the opcode column.
 * - `66 F2 F3 NP` before `0F`: mandatory prefixes (NP: none may stand there); `9B`: FWAIT first;
 * - `o16 o32 o64`: operand size (a 66 prefix or REX.W as the mode needs), `a16 a32 a64`: address size;
 *   `REX.W`: the bit alone;
 * - opcode bytes; `/r`, `/0` to `/7`; `+r` register in the opcode; `C0+i` x87 register in the second byte;
 *   a second byte that is no `/digit` is fixed; a byte behind `/r` goes where an immediate would (3DNow!, CMPEQPS);
 * - `ib iw id iq` immediates, `cb cw cd` relative offsets, `cp` far pointers, `mo` a bare offset.
 *
 * Width letters are those of SDM Vol. 2D, Appendix A.2: a row whose encoding has `ov` stands for three rows of
 * 16, 32 and 64 bits, `oz` for 16 and 32, `oy` for 32 and 64; in it `rv r/mv mv rAX` (or `ry`…) take that width, `immz`
 * and `iz` are imm16, imm32, and a sign-extended imm32 for 64 bits.
 *
 * VEX, EVEX and XOP: see the head of vex-notation.ts.
 *
 * Attributes, in any order, separated by blanks:
 * - the CPU or CPUID feature that introduced it (`8086` to `686`, `X64`, `SSE2`…); o32 and o64 imply 386 and X64;
 * - `16`, `32`, `64`: in that mode only; `!64`, `!16`: in all but that mode;
 * - `lock rep bnd notrack xrelease`: prefixes that it takes;
 * - `=push`: the mnemonic is another spelling of that instruction;
 * - `alias`: another spelling of an encoding that a row without it has: the decoder gives that one;
 * - `short`: a branch that grows into the next row that fits;
 * - `addr`: a form only where the source writes the address-size prefix; `cr8`: only for CR8 and above, with LOCK;
 * - `default`: chosen where a memory operand without a width leaves several rows;
 * - Op/En column where the operands do not say it: `MR RM M …` (R ModRM.reg, M ModRM.rm, O opcode, V vvvv, I imm,
 *   B both of ModRM's,
 *   `-` implicit), one letter for each operand.
 */
import {
  ANY_MEMORY,
  ANY_VSIB,
  EncodingKind,
  FormFlag,
  MAX_OPERANDS,
  MandatoryPrefix,
  MODE_16,
  MODE_32,
  MODE_64,
  ModrmKind,
  OpcodeMap,
  OperandBit,
  OperandCheck,
  Slot,
  Width,
} from "./operand-bits.js";
import { applyVexPrefix, atLength, foldedLengths } from "./vex-notation.js";

export type Row = readonly [instruction: string, encoding: string, attributes: string];

/** One operand of a form. */
export interface FormOperand {
  /** As written, with its width. */
  readonly notation: string;
  /** Bits of what it accepts. */
  readonly accepts: number;
  readonly slot: number;
  readonly check: number;
  /** Number of the one register that it accepts, or -1. */
  readonly fixed: number;
  /** May be left out in text and in the builder. */
  readonly optional: boolean;
}

/** One encodable form: a row with its width letters resolved. */
export interface Form {
  readonly mnemonic: string;
  /** What the SDM calls the instruction, where the mnemonic is another spelling of it: `pushw` is PUSH. */
  readonly instruction: string;
  readonly operands: readonly FormOperand[];
  /** The opcode column, as written, with width letters resolved. */
  readonly encoding: string;
  readonly kind: number;
  readonly map: number;
  readonly prefix: number;
  /** No 66, F2 or F3 may stand before it. */
  readonly noPrefix: boolean;
  readonly opcode: number;
  readonly modrmKind: number;
  /** The digit, the fixed second byte, or the fixed last byte. */
  readonly modrm: number;
  readonly plusRegister: boolean;
  readonly rexW: boolean;
  /** VEX, EVEX and XOP: W, or the vector length, says nothing. */
  readonly ignoresW: boolean;
  readonly ignoresLength: boolean;
  readonly operandSize: number;
  readonly addressSize: number;
  /** Another form has the same encoding, and is what a decoder gives. */
  readonly isAlias: boolean;
  /** `MODE_16 | MODE_32 | MODE_64` */
  readonly modes: number;
  /** `FormFlag` bits, without modes, kind and count. */
  readonly flags: number;
  readonly feature: string;
}

const FIXED_REGISTERS: Readonly<Record<string, readonly [file: keyof typeof OperandBit, number: number]>> = {
  al: ["r8", 0],
  cl: ["r8", 1],
  ax: ["r16", 0],
  cx: ["r16", 1],
  dx: ["r16", 2],
  eax: ["r32", 0],
  ecx: ["r32", 1],
  edx: ["r32", 2],
  ebx: ["r32", 3],
  rax: ["r64", 0],
  rcx: ["r64", 1],
  rdx: ["r64", 2],
  rbx: ["r64", 3],
  es: ["sreg", 0],
  cs: ["sreg", 1],
  ss: ["sreg", 2],
  ds: ["sreg", 3],
  fs: ["sreg", 4],
  gs: ["sreg", 5],
  "st(0)": ["st", 0],
  xmm0: ["xmm", 0],
};

const STRING_REGISTERS: Readonly<Record<string, number>> = { ax: 0, bx: 3, si: 6, di: 7 };

/** Memory with an index vector; the width of the indices is the instruction's affair. */
const VSIB: Readonly<Record<string, number>> = {
  vm32x: OperandBit.vmx,
  vm32y: OperandBit.vmy,
  vm32z: OperandBit.vmz,
  vm64x: OperandBit.vmx,
  vm64y: OperandBit.vmy,
  vm64z: OperandBit.vmz,
};

const STRUCTURES: Readonly<Record<string, number>> = {
  m: ANY_MEMORY,
  "m16:16": OperandBit.m32,
  "m16:32": OperandBit.m48,
  "m16:64": OperandBit.m80,
  "m16&32": ANY_MEMORY,
  "m16&64": ANY_MEMORY,
};

const IMMEDIATES: Readonly<Record<string, number>> = {
  imm4: OperandCheck.imm4,
  imm8: OperandCheck.imm8,
  imm16: OperandCheck.imm16,
  imm32: OperandCheck.imm32,
  imm64: OperandCheck.imm64,
  simm32: OperandCheck.simm32,
  "1": OperandCheck.one,
  "3": OperandCheck.three,
};

const FEATURE_OF_WIDTH: Readonly<Record<number, string>> = { 16: "8086", 32: "386", 64: "X64" };
const GENERATIONS = ["8086", "186", "286", "386", "486", "586", "686", "X64"];
const FOLDS: Readonly<Record<string, readonly number[]>> = { ov: [16, 32, 64], oz: [16, 32], oy: [32, 64] };

/** A row that does not follow the notation: a mistake of whoever wrote the row. */
export class RowError extends Error {
  override readonly name = "RowError";
  constructor(row: Row, problem: string) {
    super(`row ${JSON.stringify(row)}: ${problem}`);
  }
}

/** The forms that a row stands for, in order. Throws `RowError`. */
export function parseRow(row: Row): Form[] {
  const lengths = foldedLengths(row[1]);
  if (lengths.length > 0) return lengths.map((length) => parseForm(atLength(row, length), row));
  const fold = row[1].split(" ").find((token) => token in FOLDS);
  if (fold === undefined) return [parseForm(row, row)];
  return FOLDS[fold]!.map((width) => parseForm(resolveWidth(row, fold, width), row));
}

function resolveWidth([instruction, encoding, attributes]: Row, fold: string, width: number): Row {
  const accumulator = { 16: "ax", 32: "eax", 64: "rax" }[width]!;
  return [
    instruction
      .replace(/\b(r|r\/m|m|moffs|imm)[vy]\b/g, `$1${width}`)
      .replace(/\brAX\b/g, accumulator)
      .replace(/\bimmz\b/g, width === 64 ? "simm32" : `imm${width}`),
    encoding
      .replace(fold, `o${width}`)
      .replace(/\biz\b/, width === 16 ? "iw" : "id")
      .replace(/\biv\b/, { 16: "iw", 32: "id", 64: "iq" }[width]!),
    attributes,
  ];
}

interface Encoding {
  kind: number;
  map: number;
  prefix: number;
  noPrefix: boolean;
  opcode: number;
  modrmKind: number;
  modrm: number;
  plusRegister: boolean;
  rexW: boolean;
  ignoresW: boolean;
  ignoresLength: boolean;
  operandSize: number;
  addressSize: number;
  fwait: boolean;
  suffix: boolean;
  hasIs4: boolean;
  /** N of disp8*N in bytes where it is not the width of the memory operand. */
  unit: number;
  hasNoRm: boolean;
  /** `FormFlag` bits that operands and their decorations ask for. */
  decorations: number;
  /** Slots of the immediates, offsets and pointers, in order. */
  tail: number[];
}

const TAIL_SLOTS: Readonly<Record<string, number>> = {
  ib: Slot.ib,
  iw: Slot.iw,
  id: Slot.id,
  iq: Slot.iq,
  cb: Slot.cb,
  cw: Slot.cw,
  cd: Slot.cd,
  mo: Slot.moffs,
  cp16: Slot.ptr16,
  cp32: Slot.ptr32,
};

function parseEncoding(row: Row): Encoding {
  const tokens = row[1].split(" ").filter((token) => token !== "+");
  const encoding: Encoding = {
    kind: EncodingKind.legacy,
    map: OpcodeMap.one,
    prefix: MandatoryPrefix.none,
    noPrefix: false,
    opcode: -1,
    modrmKind: ModrmKind.none,
    modrm: 0,
    plusRegister: false,
    rexW: false,
    ignoresW: false,
    ignoresLength: false,
    operandSize: Width.any,
    addressSize: Width.any,
    fwait: false,
    suffix: false,
    hasIs4: false,
    unit: 0,
    hasNoRm: false,
    decorations: 0,
    tail: [],
  };
  let at = parseVexPrefix(encoding, tokens[0]!, row);
  if (at === 0) {
    for (; at < tokens.length; at++) if (!parsePrefixToken(encoding, tokens, at)) break;
    at = parseMap(encoding, tokens, at);
  }
  for (; at < tokens.length; at++) parseOpcodeToken(encoding, tokens[at]!, row);
  if (encoding.opcode < 0) throw new RowError(row, "no opcode byte");
  return encoding;
}

/** How many tokens a VEX, EVEX or XOP prefix takes: one, or none if there is no such prefix. */
function parseVexPrefix(encoding: Encoding, token: string, row: Row): number {
  try {
    return Number(applyVexPrefix(token, encoding));
  } catch (error) {
    throw new RowError(row, String(error));
  }
}

/** Whether `tokens[at]` is a prefix token; records it. `66`, `F2`, `F3` and `9B` are opcodes where no byte follows. */
function parsePrefixToken(encoding: Encoding, tokens: string[], at: number): boolean {
  const token = tokens[at]!;
  const size = /^([oa])(16|32|64)$/.exec(token);
  if (size) {
    const width = Width[Number(size[2]) as 16 | 32 | 64];
    if (size[1] === "o") encoding.operandSize = width;
    else encoding.addressSize = width;
    return true;
  }
  if (token === "REX.W") return (encoding.rexW = true);
  if (token === "NP") return (encoding.noPrefix = true);
  const byteFollows = tokens.slice(at + 1).some((next) => /^[0-9A-F]{2}(\+[ri])?$/.test(next));
  if (!byteFollows) return false;
  if (token === "9B") return (encoding.fwait = true);
  if (token !== "66" && token !== "F2" && token !== "F3") return false;
  encoding.prefix = MandatoryPrefix[token];
  return true;
}

/** The index behind the escape bytes. */
function parseMap(encoding: Encoding, tokens: string[], at: number): number {
  if (tokens[at] !== "0F" || tokens.length === at + 1) return at;
  const next = tokens[at + 1];
  if (next === "0F") encoding.map = OpcodeMap["3DNow"];
  else if (next === "38") encoding.map = OpcodeMap["0F38"];
  else if (next === "3A") encoding.map = OpcodeMap["0F3A"];
  else encoding.map = OpcodeMap["0F"];
  return at + (encoding.map === OpcodeMap["0F"] ? 1 : 2);
}

function parseOpcodeToken(encoding: Encoding, token: string, row: Row): void {
  const byte = /^([0-9A-F]{2})(\+r|\+i)?$/.exec(token);
  if (byte) {
    const value = Number.parseInt(byte[1]!, 16);
    if (encoding.opcode < 0) encoding.opcode = value;
    else {
      encoding.modrm = value;
      if (encoding.modrmKind === ModrmKind.register) encoding.suffix = true;
      else encoding.modrmKind = ModrmKind.fixed;
    }
    encoding.plusRegister ||= byte[2] !== undefined;
  } else if (token === "/r") encoding.modrmKind = ModrmKind.register;
  else if (/^\/[0-7]$/.test(token)) {
    encoding.modrmKind = ModrmKind.digit;
    encoding.modrm = Number(token[1]);
  } else if (token === "/is4") encoding.hasIs4 = true;
  else if (token === "11:rrr:000") {
    encoding.modrmKind = ModrmKind.register;
    encoding.hasNoRm = true;
  } else if (token in TAIL_SLOTS) encoding.tail.push(TAIL_SLOTS[token]!);
  else throw new RowError(row, `unknown token ${token} in the encoding`);
}

const ATTRIBUTE_FLAGS: Readonly<Record<string, number>> = {
  lock: FormFlag.lock,
  rep: FormFlag.rep,
  notrack: FormFlag.notrack,
  bnd: FormFlag.bnd,
  xrelease: FormFlag.xrelease,
  short: FormFlag.relaxable,
  default: FormFlag.unsizedDefault,
  swap: FormFlag.swap,
  sib: FormFlag.sib,
};

const ATTRIBUTE_KINDS: Readonly<Record<string, number>> = {
  addr: EncodingKind.addressed,
  cr8: EncodingKind.lockedControl,
};

const ATTRIBUTE_MODES: Readonly<Record<string, number>> = {
  "16": MODE_16,
  "32": MODE_32,
  "64": MODE_64,
  "!64": MODE_16 | MODE_32,
  "!16": MODE_32 | MODE_64,
};

function parseForm(row: Row, source: Row): Form {
  const [instruction, encodingText, attributes] = row;
  const encoding = parseEncoding(row);
  const { operandSize, addressSize, fwait } = encoding;
  let modes = MODE_16 | MODE_32 | MODE_64;
  const isLegacy = encoding.kind === EncodingKind.legacy;
  if (isLegacy && (operandSize === Width[64] || encoding.rexW)) modes = MODE_64;
  if (addressSize === Width[64]) modes = MODE_64;
  if (addressSize === Width[16]) modes = MODE_16 | MODE_32;
  let flags = (fwait ? FormFlag.fwait : 0) | (encoding.suffix ? FormFlag.suffix : 0);
  let feature = "";
  let operandEncoding = "";
  let synonymOf = "";
  let isAlias = false;
  for (const attribute of attributes.split(" ")) {
    if (attribute in ATTRIBUTE_FLAGS) flags |= ATTRIBUTE_FLAGS[attribute]!;
    else if (attribute in ATTRIBUTE_MODES) modes &= ATTRIBUTE_MODES[attribute]!;
    else if (attribute === "alias") isAlias = true;
    else if (attribute.startsWith("=")) synonymOf = attribute.slice(1);
    else if (attribute in ATTRIBUTE_KINDS) encoding.kind = ATTRIBUTE_KINDS[attribute]!;
    else if (/^[RMOVBI-]+$/.test(attribute)) operandEncoding = attribute;
    else if (/^N[1248]$/.test(attribute)) encoding.unit = Number(attribute[1]);
    else if (feature === "") feature = attribute;
    else throw new RowError(source, `two features, ${feature} and ${attribute}`);
  }
  if (feature === "") throw new RowError(source, "no CPU feature among the attributes");
  if (modes === 0) throw new RowError(source, "fits no mode");
  const blank = instruction.indexOf(" ");
  const mnemonic = blank < 0 ? instruction : instruction.slice(0, blank);
  const operands = blank < 0 ? [] : instruction.slice(blank + 1).split(", ");
  if (operands.length > MAX_OPERANDS) throw new RowError(source, "too many operands");
  const slotted = assignSlots(operands, encoding, operandEncoding, source);
  return {
    mnemonic,
    instruction: synonymOf === "" ? mnemonic : synonymOf,
    operands: slotted,
    encoding: encodingText,
    kind: encoding.kind,
    map: encoding.map,
    prefix: encoding.prefix,
    noPrefix: encoding.noPrefix,
    opcode: encoding.opcode,
    modrmKind: encoding.modrmKind,
    modrm: encoding.modrm,
    plusRegister: encoding.plusRegister,
    rexW: encoding.rexW || (isLegacy && operandSize === Width[64]),
    ignoresW: encoding.ignoresW,
    ignoresLength: encoding.ignoresLength,
    operandSize,
    addressSize,
    isAlias,
    modes,
    flags: flags | encoding.decorations | unitFlag(slotted, encoding),
    feature: isLegacy ? later(feature, operandSize) : feature,
  };
}

/** EVEX displacement bytes count in units of the memory operand's width (SDM Vol. 2A, "Compressed Displacement"). */
function unitFlag(operands: readonly FormOperand[], { kind, rexW, unit: given }: Encoding): number {
  if (kind !== EncodingKind.evex) return 0;
  if (given !== 0) return Math.log2(given) << FormFlag.unitShift;
  let unit = 0;
  for (const { accepts } of operands) {
    if ((accepts & ANY_VSIB) !== 0) unit = rexW ? 3 : 2;
    const widths = accepts & ANY_MEMORY;
    if (widths !== 0 && (widths & (widths - 1)) === 0) unit = UNITS[widths]!;
  }
  return unit << FormFlag.unitShift;
}

const UNITS: Readonly<Record<number, number>> = {
  [OperandBit.m8]: 0,
  [OperandBit.m16]: 1,
  [OperandBit.m32]: 2,
  [OperandBit.m64]: 3,
  [OperandBit.m128]: 4,
  [OperandBit.m256]: 5,
  [OperandBit.m512]: 6,
};

/** The later of a row's feature and the generation that brought its operand size. */
function later(feature: string, operandSize: number): string {
  const width = operandSize === Width[64] ? 64 : operandSize === Width[32] ? 32 : 16;
  const own = GENERATIONS.indexOf(feature);
  const ofWidth = GENERATIONS.indexOf(FEATURE_OF_WIDTH[width]!);
  return own >= 0 && own < ofWidth ? FEATURE_OF_WIDTH[width]! : feature;
}

function assignSlots(
  notations: readonly string[],
  encoding: Encoding,
  letters: string,
  row: Row,
): FormOperand[] {
  const operands = notations.map((notation) => parseOperand(notation, encoding, row));
  const tail = [...encoding.tail];
  const slots = letters === "" ? deriveSlots(operands, encoding, tail) : readSlots(letters, tail);
  if (slots.length !== operands.length) throw new RowError(row, "Op/En and operands differ in number");
  if (tail.length > 0) throw new RowError(row, "the encoding has more immediates than the operands");
  const hasModrm = encoding.modrmKind === ModrmKind.register || encoding.modrmKind === ModrmKind.digit;
  if (hasModrm && !encoding.hasNoRm && !slots.some((slot) => slot === Slot.rm || slot === Slot.both))
    throw new RowError(row, "no operand for ModRM.rm");
  if (encoding.plusRegister && !slots.includes(Slot.opcode)) throw new RowError(row, "no operand for +r");
  return operands.map((operand, index) => ({ ...operand, slot: slots[index]! }));
}

const LETTER_SLOTS: Readonly<Record<string, number>> = {
  R: Slot.reg,
  M: Slot.rm,
  O: Slot.opcode,
  V: Slot.vvvv,
  B: Slot.both,
  "-": Slot.implicit,
};

function readSlots(letters: string, tail: number[]): number[] {
  return [...letters].map((letter) => (letter === "I" ? tail.shift()! : LETTER_SLOTS[letter]!));
}

type Unplaced = Omit<FormOperand, "slot">;

/** A number that the opcode stands for. */
function isLiteral({ check }: Unplaced): boolean {
  return check === OperandCheck.one || check === OperandCheck.three;
}

/** Op/En by the usual rule: the operand that may be memory is M, else the last register; the first other is R. */
function deriveSlots(operands: readonly Unplaced[], encoding: Encoding, tail: number[]): number[] {
  const isRegister = (operand: Unplaced) => operand.fixed < 0 && (operand.accepts & 0x7fff) !== 0;
  const isMemory = (operand: Unplaced) => (operand.accepts & (ANY_MEMORY | (7 << 27))) !== 0;
  const isTail = (operand: Unplaced) =>
    (operand.accepts & (OperandBit.imm | OperandBit.rel | OperandBit.far)) !== 0 ||
    operand.check === OperandCheck.moffs;
  const withModrm = encoding.modrmKind === ModrmKind.register || encoding.modrmKind === ModrmKind.digit;
  const memory = withModrm ? operands.findIndex((operand) => isMemory(operand)) : -1;
  const lastRegister = operands.map(isRegister).lastIndexOf(true);
  const rm = withModrm ? (memory >= 0 ? memory : lastRegister) : -1;
  let open: number[] = [Slot.vvvv];
  if (encoding.modrmKind === ModrmKind.register) open.unshift(Slot.reg);
  if (encoding.hasIs4) open.push(Slot.is4);
  if (encoding.plusRegister) open = [Slot.opcode];
  return operands.map((operand, index) => {
    if (index === rm) return Slot.rm;
    if (operand.check === OperandCheck.stringMemory) {
      return operand.notation.endsWith("(di)") ? Slot.esMemory : Slot.implicitMemory;
    }
    if (isTail(operand)) return isLiteral(operand) ? Slot.implicit : (tail.shift() ?? Slot.implicit);
    return isRegister(operand) ? (open.shift() ?? Slot.implicit) : Slot.implicit;
  });
}

function parseOperand(written: string, encoding: Encoding, row: Row): Unplaced {
  const [text, decorations] = parseDecorations(written, encoding, row);
  const optional = text.startsWith("<");
  const notation = optional ? text.slice(1, -1) : text;
  const plain = { notation, optional, fixed: -1, check: OperandCheck.none as number };
  const fixed = FIXED_REGISTERS[notation];
  if (fixed) {
    return { ...plain, accepts: OperandBit[fixed[0]], check: OperandCheck.fixedRegister, fixed: fixed[1] };
  }
  if (notation in IMMEDIATES) return { ...plain, accepts: OperandBit.imm, check: IMMEDIATES[notation]! };
  if (notation === "simm8") {
    const check = [
      OperandCheck.simm8to64,
      OperandCheck.simm8to16,
      OperandCheck.simm8to32,
      OperandCheck.simm8to64,
    ];
    return { ...plain, accepts: OperandBit.imm, check: check[encoding.operandSize]! };
  }
  if (/^rel(8|16|32)$/.test(notation)) return { ...plain, accepts: OperandBit.rel };
  if (notation === "ptr16:16") return { ...plain, accepts: OperandBit.far, check: OperandCheck.far16 };
  if (notation === "ptr16:32") return { ...plain, accepts: OperandBit.far, check: OperandCheck.far32 };
  const string = /^(m\d*)\((ax|bx|si|di)\)$/.exec(notation);
  if (string) {
    const accepts = STRUCTURES[string[1]!] ?? memoryBit(string[1]!.slice(1))!;
    return { ...plain, accepts, check: OperandCheck.stringMemory, fixed: STRING_REGISTERS[string[2]!]! };
  }
  const moffs = /^moffs(8|16|32|64)$/.exec(notation);
  if (moffs) return { ...plain, accepts: memoryBit(moffs[1]!)!, check: OperandCheck.moffs };
  return { ...plain, accepts: registerOrMemory(notation, row) | decorations };
}

const DECORATIONS: Readonly<Record<string, number>> = {
  "{k}": FormFlag.mask,
  "{kz}": FormFlag.mask | FormFlag.zeroing,
  "{k!}": FormFlag.mask | FormFlag.maskRequired,
  "{er}": FormFlag.rounding,
  "{sae}": FormFlag.suppressExceptions,
  b16: 1 << FormFlag.broadcastShift,
  b32: 2 << FormFlag.broadcastShift,
  b64: 3 << FormFlag.broadcastShift,
};

/** An operand without what stands in braces and without a broadcast, and the operand bit for those. */
function parseDecorations(written: string, encoding: Encoding, row: Row): [text: string, bit: number] {
  const decorations = written.match(/\{[^}]*\}|\bb(16|32|64)\b/g) ?? [];
  for (const decoration of decorations) {
    const flag = DECORATIONS[decoration];
    if (flag === undefined) throw new RowError(row, `unknown decoration ${decoration}`);
    encoding.decorations |= flag;
  }
  const text = written.replace(/\{[^}]*\}|\/?\bb(16|32|64)\b/g, "");
  return [text, decorations.length > 0 ? OperandBit.decorated : 0];
}

function memoryBit(width: string): number | undefined {
  return OperandBit[`m${width}` as keyof typeof OperandBit];
}

function registerOrMemory(notation: string, row: Row): number {
  const parts = /^r\/m(\d+)$/.exec(notation);
  const names = parts ? [`r${parts[1]}`, `m${parts[1]}`] : notation.split("/");
  return names.reduce((bits, name) => {
    const bit =
      STRUCTURES[name] ??
      VSIB[name] ??
      (name === "st(i)" ? OperandBit.st : OperandBit[name as keyof typeof OperandBit]);
    if (bit === undefined) throw new RowError(row, `unknown operand ${notation}`);
    return bits | bit;
  }, 0);
}
