/**
 * Bytes to an instruction, by the forms of the generated table.
 * SDM Vol. 2A, "Instruction Format", "REX Prefixes", "16-Bit Addressing Forms with the ModR/M Byte".
 */
import { Gpr, Seg } from "./architecture.js";
import { type Form, type FormOperand, formsOf, ModrmKind, Prefix, Slot } from "./forms.js";
import {
  gprOperand,
  type Instruction,
  immediateOperand,
  memoryOperand,
  NO_OPERAND,
  type Operand,
  OperandKind,
  otherRegister,
} from "./instruction.js";
import { State } from "./layout.js";
import { semanticsOf } from "./operations/index.js";

/** Longest instruction: a longer one raises #GP. */
export const MAX_LENGTH = 15;

/** Why bytes are no instruction. */
export const Undecodable = {
  /** The bytes end inside it. */
  truncated: "truncated",
  /** #UD */
  undefined: "undefined",
  /** #GP: more than 15 bytes. */
  tooLong: "too long",
} as const;

export type Decoded = Instruction | (typeof Undecodable)[keyof typeof Undecodable];

const MODE_BITS: Readonly<Record<number, number>> = { 2: 1, 4: 2, 8: 4 };
const ZERO = State.zero >> 2;
const GPR = State.gpr >> 2;
const RIP = State.rip >> 2;
const NO_TAIL = new Uint8Array(0);
const LOCK = 0xf0;

/** Where the decoder is, and what the prefixes said. One is enough: decoding does not nest. */
const d = {
  bytes: new Uint8Array(0) as Uint8Array,
  start: 0,
  at: 0,
  end: 0,
  truncated: false,
  mode: 8,
  operandPrefix: false,
  addressPrefix: false,
  repeat: 0,
  lock: false,
  segment: -1,
  rex: 0,
  ignoresRexW: false,
  /** A form fits, but not with this LOCK prefix or register. */
  refused: false,
  addressSize: 8,
  operandSize: 4,
  // ModRM and what it led to
  hasModrm: false,
  modrm: 0,
  base: ZERO,
  index: ZERO,
  shift: 0,
  dispLo: 0,
  dispHi: 0,
  defaultSegment: Seg.DS as number,
};

function byte(): number {
  if (d.at >= d.end) {
    d.truncated = true;
    return 0;
  }
  return d.bytes[d.at++]!;
}

function int8(): number {
  return (byte() << 24) >> 24;
}

function int16(): number {
  const low = byte();
  return ((low | (byte() << 8)) << 16) >> 16;
}

function int32(): number {
  const low = byte() | (byte() << 8);
  return low | (byte() << 16) | (byte() << 24);
}

/**
 * Decodes the instruction at `start` of `bytes`, which end at `end`, for a mode of 2, 4 or 8 bytes.
 * `bytes` may be longer than the instruction.
 */
export function decode(bytes: Uint8Array, start: number, end: number, mode: number): Decoded {
  d.bytes = bytes;
  d.start = d.at = start;
  d.end = Math.min(end, start + MAX_LENGTH);
  d.truncated = false;
  d.mode = mode;
  const opcode = readPrefixes();
  const decoded = d.truncated ? Undecodable.truncated : decodeOpcode(opcode);
  if (!d.truncated) return decoded;
  return d.end - start >= MAX_LENGTH ? Undecodable.tooLong : Undecodable.truncated;
}

/** Reads prefixes; returns the first byte that is none. */
function readPrefixes(): number {
  d.operandPrefix = d.addressPrefix = d.lock = false;
  d.repeat = 0;
  d.segment = -1;
  d.rex = 0;
  for (;;) {
    const code = byte();
    if (d.truncated) return 0;
    if (d.mode === 8 && (code & 0xf0) === 0x40) {
      // Only a REX right before the opcode counts.
      d.rex = code;
      continue;
    }
    if (!legacyPrefix(code)) return code;
    d.rex = 0;
  }
}

const SEGMENT_PREFIXES: Readonly<Record<number, number>> = {
  38: Seg.ES,
  46: Seg.CS,
  54: Seg.SS,
  62: Seg.DS,
  100: Seg.FS,
  101: Seg.GS,
};

function legacyPrefix(code: number): boolean {
  const segment = SEGMENT_PREFIXES[code];
  if (segment !== undefined) {
    if (d.mode !== 8 || segment >= Seg.FS) d.segment = segment;
  } else if (code === 0x66) d.operandPrefix = true;
  else if (code === 0x67) d.addressPrefix = true;
  else if (code === LOCK) d.lock = true;
  else if (code === 0xf2 || code === 0xf3) d.repeat = code;
  else return false;
  return true;
}

function decodeOpcode(first: number): Decoded {
  let map = 0;
  let opcode = first;
  if (opcode === 0x0f) {
    opcode = byte();
    map = opcode === 0x38 ? 2 : opcode === 0x3a ? 3 : 1;
    if (map > 1) opcode = byte();
  }
  if (d.truncated) return Undecodable.truncated;
  d.addressSize = d.mode === 8 ? (d.addressPrefix ? 4 : 8) : d.addressPrefix ? 6 - d.mode : d.mode;
  d.hasModrm = false;
  d.ignoresRexW = d.refused = false;
  const decoded = chooseForm(map, opcode);
  // Where no row takes 64 bits, REX.W says nothing (SDM Vol. 2A, "REX Prefixes").
  if (decoded !== Undecodable.undefined || (d.rex & 8) === 0 || d.refused) return decoded;
  d.ignoresRexW = true;
  return chooseForm(map, opcode);
}

function chooseForm(map: number, opcode: number): Decoded {
  for (const form of formsOf(map, opcode)) {
    if (!matchesPrefixes(form)) continue;
    if (form.modrmKind !== ModrmKind.none && !matchesModrm(form)) {
      if (d.truncated) return Undecodable.truncated;
      continue;
    }
    return build(form, opcode);
  }
  return Undecodable.undefined;
}

/** Effective operand size of a form: a mandatory 66 prefix is no operand-size prefix. */
function effectiveSize(form: Form): number {
  if (d.rex & 8 && !d.ignoresRexW) return 8;
  const prefixed = d.operandPrefix && form.prefix !== Prefix["66"];
  if (d.mode === 2) return prefixed ? 4 : 2;
  return prefixed ? 2 : 4;
}

function matchesPrefixes(form: Form): boolean {
  if ((form.modes & MODE_BITS[d.mode]!) === 0) return false;
  // With REX.B, 90 is XCHG with R8, and no PAUSE whatever the prefix.
  if (form.map === 0 && form.opcode === 0x90 && !form.plusRegister && d.rex & 1) return false;
  if (form.prefix === Prefix.F3 && d.repeat !== 0xf3) return false;
  if (form.prefix === Prefix.F2 && d.repeat !== 0xf2) return false;
  if (form.prefix === Prefix["66"] && (!d.operandPrefix || d.repeat !== 0)) return false;
  if (form.noPrefix && (d.operandPrefix || d.repeat !== 0)) return false;
  if (form.rexW && (d.rex & 8) === 0) return false;
  d.operandSize = effectiveSize(form);
  if (form.operandSize !== 0 && form.operandSize !== d.operandSize) return false;
  return form.addressSize === 0 || form.addressSize === d.addressSize;
}

function matchesModrm(form: Form): boolean {
  if (!d.hasModrm) {
    d.modrm = byte();
    d.hasModrm = true;
    if (d.truncated) return false;
  }
  if (form.modrmKind === ModrmKind.fixed) {
    return form.plusRegister ? (d.modrm & 0xf8) === form.modrm : d.modrm === form.modrm;
  }
  if (form.modrmKind === ModrmKind.digit && ((d.modrm >> 3) & 7) !== form.modrm) return false;
  const rm = form.operands.find(({ slot }) => slot === Slot.rm || slot === Slot.both);
  if (rm === undefined) return true;
  return d.modrm >= 0xc0
    ? rm.takesRegister || isControlRegisterMove(form)
    : rm.takesMemory || isControlRegisterMove(form);
}

/** MOV to and from CRn and DRn ignore ModRM.mod (SDM Vol. 2B, "MOV—Move to/from Control Registers"). */
function isControlRegisterMove(form: Form): boolean {
  return form.map === 1 && form.opcode >= 0x20 && form.opcode <= 0x23;
}

function build(form: Form, opcode: number): Decoded {
  d.base = d.index = ZERO;
  d.shift = d.dispLo = d.dispHi = 0;
  d.defaultSegment = Seg.DS;
  const usesMemory =
    d.hasModrm && d.modrm < 0xc0 && form.modrmKind !== ModrmKind.fixed && !isControlRegisterMove(form);
  if (usesMemory) readAddress();
  const [a = NO_OPERAND, b = NO_OPERAND, c = NO_OPERAND] = form.operands.map((operand) =>
    readOperand(operand, opcode),
  );
  if (d.truncated) return Undecodable.truncated;
  if (d.lock && !(form.lockable && a.kind === OperandKind.memory)) {
    d.refused = true;
    return Undecodable.undefined;
  }
  const instruction: Instruction = {
    execute: semanticsOf(form),
    form,
    length: d.at - d.start,
    operandSize: d.operandSize,
    addressSize: d.addressSize,
    mode: d.mode,
    repeat: d.repeat,
    lock: d.lock,
    a,
    b,
    c,
    segment: d.segment >= 0 ? d.segment : d.defaultSegment,
    base: d.base,
    index: d.index,
    shift: d.shift,
    dispLo: d.dispLo,
    dispHi: d.dispHi,
    opcode,
    crosses: false,
    tail: NO_TAIL,
  };
  return instruction;
}

function readOperand(operand: FormOperand, opcode: number): Operand {
  switch (operand.slot) {
    case Slot.rm:
    case Slot.both:
      if (d.modrm < 0xc0 && operand.takesMemory) return memoryOperand(operand.memorySize);
      return register(operand, (d.modrm & 7) | ((d.rex & 1) << 3));
    case Slot.reg:
      return register(operand, ((d.modrm >> 3) & 7) | ((d.rex & 4) << 1));
    case Slot.opcode:
      return d.hasModrm
        ? register(operand, d.modrm & 7)
        : register(operand, (opcode & 7) | ((d.rex & 1) << 3));
    case Slot.implicit:
      return operand.fixed >= 0
        ? register(operand, operand.fixed)
        : immediateOperand(OperandKind.immediate, 1, 1, 0);
    case Slot.moffs:
      readMoffs();
      return memoryOperand(Number(operand.notation.slice(5)) / 8);
    case Slot.ptr16:
    case Slot.ptr32: {
      const offset = operand.slot === Slot.ptr16 ? int16() & 0xffff : int32();
      return immediateOperand(OperandKind.far, 0, offset, int16() & 0xffff);
    }
    default:
      return readImmediate(operand);
  }
}

function readImmediate(operand: FormOperand): Operand {
  const signed = operand.notation.startsWith("s") || operand.notation.startsWith("rel");
  const kind = operand.notation.startsWith("rel") ? OperandKind.relative : OperandKind.immediate;
  switch (operand.slot) {
    case Slot.ib:
    case Slot.cb: {
      const value = signed ? int8() : byte();
      return immediateOperand(kind, 1, value, value >> 31);
    }
    case Slot.iw:
    case Slot.cw: {
      const value = signed ? int16() : int16() & 0xffff;
      return immediateOperand(kind, 2, value, value >> 31);
    }
    case Slot.iq: {
      const lo = int32();
      return immediateOperand(kind, 8, lo, int32());
    }
    default: {
      const value = int32();
      return immediateOperand(kind, 4, value, value >> 31);
    }
  }
}

const REGISTER_KINDS: readonly (readonly [prefix: string, kind: number])[] = [
  ["xmm", OperandKind.xmm],
  ["mm", OperandKind.mmx],
  ["st", OperandKind.st],
  ["sreg", OperandKind.segment],
  ["cr", OperandKind.control],
  ["dr", OperandKind.debug],
];

const SEGMENT_NAMES = ["es", "cs", "ss", "ds", "fs", "gs"];

function register(operand: FormOperand, number: number): Operand {
  const name = operand.notation.split("/")[0]!;
  if (SEGMENT_NAMES.includes(name)) return otherRegister(OperandKind.segment, 2, number);
  const kind = REGISTER_KINDS.find(([prefix]) => name.startsWith(prefix))?.[1];
  if (kind === undefined) return gprOperand(operand.registerSize, number, d.rex !== 0);
  // MMX and segment registers are eight at most: REX bits do not reach them.
  const masked = kind === OperandKind.mmx || kind === OperandKind.segment ? number & 7 : number;
  return otherRegister(kind, operand.registerSize, masked);
}

/** A direct offset as wide as the address size. */
function readMoffs(): void {
  d.dispLo = d.addressSize === 2 ? int16() & 0xffff : int32();
  d.dispHi = d.addressSize === 8 ? int32() : 0;
}

function readAddress(): void {
  if (d.addressSize === 2) readAddress16();
  else readAddress32();
}

/** SDM Vol. 2A, table "16-Bit Addressing Forms with the ModR/M Byte". */
const BASE_INDEX_16: readonly (readonly [base: number, index: number])[] = [
  [Gpr.RBX, Gpr.RSI],
  [Gpr.RBX, Gpr.RDI],
  [Gpr.RBP, Gpr.RSI],
  [Gpr.RBP, Gpr.RDI],
  [Gpr.RSI, -1],
  [Gpr.RDI, -1],
  [Gpr.RBP, -1],
  [Gpr.RBX, -1],
];

function slot(register: number): number {
  return register < 0 ? ZERO : GPR + register * 2;
}

function readAddress16(): void {
  const mod = d.modrm >> 6;
  const rm = d.modrm & 7;
  if (mod === 0 && rm === 6) {
    d.dispLo = int16() & 0xffff;
    return;
  }
  const [base, index] = BASE_INDEX_16[rm]!;
  d.base = slot(base);
  d.index = slot(index);
  if (base === Gpr.RBP) d.defaultSegment = Seg.SS;
  if (mod === 1) d.dispLo = int8();
  else if (mod === 2) d.dispLo = int16();
}

function readAddress32(): void {
  const mod = d.modrm >> 6;
  const rm = d.modrm & 7;
  if (rm === 4) {
    readSib(mod);
  } else if (mod === 0 && rm === 5) {
    if (d.mode === 8) d.base = RIP;
    setDisplacement(int32());
    return;
  } else {
    setBase(rm | ((d.rex & 1) << 3));
  }
  if (mod === 1) setDisplacement(int8());
  else if (mod === 2) setDisplacement(int32());
}

function readSib(mod: number): void {
  const sib = byte();
  const index = ((sib >> 3) & 7) | ((d.rex & 2) << 2);
  if (index !== Gpr.RSP) {
    d.index = slot(index);
    d.shift = sib >> 6;
  }
  if ((sib & 7) === 5 && mod === 0) setDisplacement(int32());
  else setBase((sib & 7) | ((d.rex & 1) << 3));
}

function setBase(register: number): void {
  d.base = slot(register);
  if (register === Gpr.RSP || register === Gpr.RBP) d.defaultSegment = Seg.SS;
}

function setDisplacement(value: number): void {
  d.dispLo = value;
  d.dispHi = value >> 31;
}
