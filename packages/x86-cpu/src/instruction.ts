/** A decoded instruction: what the engines execute. */
import type { Form } from "./forms.js";
import { State } from "./layout.js";
import type { Machine } from "./machine.js";

/** Executes an instruction whose successor's address is already in RIP. */
export type Execute = (m: Machine, i: Instruction) => void;

/** What an operand is, and for integers how wide. */
export const OperandKind = {
  none: 0,
  gpr8: 1,
  gpr16: 2,
  gpr32: 3,
  gpr64: 4,
  memory: 5,
  immediate: 6,
  xmm: 7,
  mmx: 8,
  st: 9,
  segment: 10,
  control: 11,
  debug: 12,
  /** Branch displacement. */
  relative: 13,
  /** Selector in `hi`, offset in `lo`. */
  far: 14,
} as const;

export interface Operand {
  readonly kind: number;
  /** Bytes; 0 where the form does not fix it. */
  readonly size: number;
  /** Register number. */
  readonly register: number;
  /** Of a general register: index into the view of its width; of an XMM register: byte offset. */
  readonly index: number;
  /** Value of an immediate, sign-extended as its form says; of a branch, the displacement. */
  readonly lo: number;
  readonly hi: number;
}

/** Every operand is made here, and none is frozen: reads of objects of one shape are several times as fast. */
function makeOperand(
  kind: number,
  size: number,
  register: number,
  index: number,
  lo: number,
  hi: number,
): Operand {
  return { kind, size, register, index, lo, hi };
}

export const NO_OPERAND: Operand = makeOperand(OperandKind.none, 0, 0, 0, 0, 0);

/** An instruction, decoded for one mode. Fields that an instruction has no use for are zero. */
export interface Instruction {
  readonly execute: Execute;
  readonly form: Form;
  readonly length: number;
  /** Effective operand size, address size and default stack width of the mode, in bytes. */
  readonly operandSize: number;
  readonly addressSize: number;
  /** 2, 4 or 8: the code size that it was decoded for. */
  readonly mode: number;
  /** 0, 0xf2 or 0xf3. */
  readonly repeat: number;
  readonly lock: boolean;
  readonly a: Operand;
  readonly b: Operand;
  readonly c: Operand;
  // Memory operand: segment, base and index as indexes into `i32` (the zero slot where absent), displacement.
  readonly segment: number;
  readonly base: number;
  readonly index: number;
  readonly shift: number;
  readonly dispLo: number;
  readonly dispHi: number;
  /** Condition code, digit or another number from the opcode, where the semantics need it. */
  readonly opcode: number;
  /** It goes on in the next page, where its bytes are `tail`. */
  readonly crosses: boolean;
  readonly tail: Uint8Array;
}

const REGISTER_SIZES = [1, 2, 4, 8] as const;
const KIND_OF_SIZE: Readonly<Record<number, number>> = {
  1: OperandKind.gpr8,
  2: OperandKind.gpr16,
  4: OperandKind.gpr32,
  8: OperandKind.gpr64,
};

function makeGpr(size: number, register: number, byteOffset: number): Operand {
  const index = byteOffset / (size === 8 ? 4 : size);
  return makeOperand(KIND_OF_SIZE[size]!, size, register, index, 0, 0);
}

const GPRS = Object.fromEntries(
  REGISTER_SIZES.map((size) => [
    size,
    Array.from({ length: 16 }, (_, register) => makeGpr(size, register, State.gpr + register * 8)),
  ]),
);

/** AH, CH, DH and BH, which are what codes 4 to 7 mean without a REX prefix. */
const HIGH_BYTES = Array.from({ length: 4 }, (_, register) =>
  makeGpr(1, register + 4, State.gpr + register * 8 + 1),
);

/** Operand for a general register of 1, 2, 4 or 8 bytes. `rex`: the instruction has a REX prefix. */
export function gprOperand(size: number, register: number, rex: boolean): Operand {
  if (size === 1 && !rex && register >= 4 && register < 8) return HIGH_BYTES[register - 4]!;
  return GPRS[size]![register]!;
}

export function otherRegister(kind: number, size: number, register: number): Operand {
  const index = kind === OperandKind.xmm ? State.xmm + register * 16 : 0;
  return makeOperand(kind, size, register, index, 0, 0);
}

export function immediateOperand(kind: number, size: number, lo: number, hi: number): Operand {
  return makeOperand(kind, size, 0, 0, lo, hi);
}

const MEMORY = new Map<number, Operand>();

export function memoryOperand(size: number): Operand {
  let operand = MEMORY.get(size);
  if (operand === undefined) {
    operand = makeOperand(OperandKind.memory, size, 0, 0, 0, 0);
    MEMORY.set(size, operand);
  }
  return operand;
}
