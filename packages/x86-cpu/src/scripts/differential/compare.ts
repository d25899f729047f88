/** Differences between two outcomes of one batch. */
import { decode } from "../../decode.js";
import type { Instruction } from "../../instruction.js";
import type { Batch, Outcome } from "./batch.js";
import { outputOf } from "./batch.js";
import { At, BASE, Input, Output, REGISTERS, Stride } from "./image.js";
import {
  APPROXIMATE,
  destinationIsUndefined,
  type Inputs,
  TRANSCENDENTAL,
  undefinedConditions,
  undefinedFlags,
} from "./undefined.js";

export interface Difference {
  readonly index: number;
  readonly bytes: readonly number[];
  readonly mnemonic: string;
  /** Field, and the values of both. */
  readonly fields: readonly string[];
}

/** How strict the comparison is: a real processor may do what the manual leaves open, an engine may not. */
export type Strictness = "processor" | "engine";

const FAULT_FIELDS = ["vector", "error", "rip", "faultFlags", "taken"] as const;
/** RF, NT and IF of a frame are the host's business where ring 3 is native. */
const FRAME_FLAGS = ~0x14200;

function decodeCase(bytes: readonly number[]): Instruction | undefined {
  const padded = new Uint8Array(32).fill(0xcc);
  padded.set(bytes.slice(0, 32));
  const decoded = decode(padded, 0, 32, 8);
  return typeof decoded === "object" ? decoded : undefined;
}

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

/** Compares every case of a batch; `data` outside all cases' own areas belongs to none. */
export function compare(batch: Batch, a: Outcome, b: Outcome, strictness: Strictness): Difference[] {
  const differences: Difference[] = [];
  const whole = batch.cases.findIndex((_, index) => isDerailed(outputOf(b, index)));
  const end = whole < 0 ? batch.cases.length : whole;
  batch.cases.slice(0, end).forEach(({ bytes }, index) => {
    if (isSame(a.output, b.output, index, Stride.output) && isSame(a.data, b.data, index, Stride.data))
      return;
    const instruction = decodeCase(bytes);
    const fields = [
      ...compareOutput(batch, index, instruction, outputOf(a, index), outputOf(b, index), strictness),
      ...compareData(instruction, a.data, b.data, index * Stride.data, Stride.data, strictness),
    ];
    if (fields.length > 0)
      differences.push({ index, bytes, mnemonic: instruction?.form.mnemonic ?? "#UD", fields });
  });
  if (end < batch.cases.length) return differences;
  const shared = batch.cases.length * Stride.data;
  const fields = compareData(undefined, a.data, b.data, shared, a.data.length - shared, "engine");
  if (fields.length > 0) differences.push({ index: -1, bytes: [], mnemonic: "shared data", fields });
  return differences;
}

/** Whether all of a case's bytes are equal: then there is nothing to look into. */
function isSame(a: Uint8Array, b: Uint8Array, index: number, stride: number): boolean {
  const [from, to] = [index * stride, (index + 1) * stride];
  return Buffer.compare(a.subarray(from, to), b.subarray(from, to)) === 0;
}

/** Whether a case has overwritten the harness's variables, so that the next ones fault in the harness itself. */
function isDerailed(output: DataView): boolean {
  const rip = output.getBigUint64(Output.rip, true);
  const faulted = output.getBigInt64(Output.vector, true) !== -1n;
  return faulted && rip >= BASE + BigInt(At.harness) && rip < BASE + BigInt(At.harness + 0x1000);
}

function inputsOf(batch: Batch, index: number) {
  const view = new DataView(batch.memory.buffer, At.input + index * Stride.input);
  return { rcx: view.getBigUint64(Input.registers + REGISTERS.indexOf("rcx") * 8, true) };
}

function compareOutput(
  batch: Batch,
  index: number,
  i: Instruction | undefined,
  a: DataView,
  b: DataView,
  strictness: Strictness,
): string[] {
  const fields: string[] = [];
  const lenient = strictness === "processor" && i !== undefined;
  const faulting = faultingInstruction(batch, b) ?? i;
  if (lenient && (isHostsUd(faulting!, a, b) || isMisalignedMode(faulting!, b))) return fields;
  const inputs = inputsOf(batch, index);
  const note = (name: string, x: bigint | number, y: bigint | number) => {
    if (x !== y) fields.push(`${name} ${hex(x)} ${hex(y)}`);
  };
  const skipped = lenient && destinationIsUndefined(i, inputs) ? i.a.register : -1;
  if (skipped === 4) return fields;
  REGISTERS.forEach((name, n) => {
    if (n === REGISTER_ORDER.indexOf(skipped)) return;
    const at = Output.registers + n * 8;
    note(name, a.getBigUint64(at, true), b.getBigUint64(at, true));
  });
  note("rsp", a.getBigUint64(Output.rsp, true), b.getBigUint64(Output.rsp, true));
  const mask = lenient ? ~flagsOfCase(batch.cases[index]!.bytes, inputs, a.getUint16(2, true)) : -1;
  // IF reads as 1, and NT may be lost, where ring 3 is native.
  const flags = mask & ~0x4200;
  note("rflags", a.getUint32(Output.rflags, true) & flags, b.getUint32(Output.rflags, true) & flags);
  compareFault(faulting, a, b, mask, strictness, note);
  if (!(lenient && isEmulatedMmxStore(a, b))) fields.push(...compareFpu(batch, index, a, b, strictness));
  return fields;
}

/**
 * A host without hardware virtualization tries to emulate what raises #GP in ring 3, and gives #UD where its emulator lacks
 * the instruction: x87, MMX and SSE.
 */
function isHostsUd(i: Instruction, a: DataView, b: DataView): boolean {
  const isFloat = /\b(st|mm|xmm)\b|^f|mxcsr/.test(
    `${i.form.mnemonic} ${i.form.operands.map((o) => o.notation)}`,
  );
  return isFloat && a.getBigInt64(Output.vector, true) === 6n && b.getBigInt64(Output.vector, true) === 13n;
}

/** AMD's MXCSR has a bit that Intel's has not: 17, misaligned exception mode (AMD APM Vol. 1, "MXCSR Register"). */
function isMisalignedMode(i: Instruction, b: DataView): boolean {
  return i.form.mnemonic === "ldmxcsr" && b.getBigInt64(Output.vector, true) === 13n;
}

/** The instruction that raised the exception: it need not be the first one of the case. */
function faultingInstruction(batch: Batch, output: DataView): Instruction | undefined {
  const rip = Number(output.getBigUint64(Output.rip, true) - BASE);
  if (output.getBigInt64(Output.vector, true) === -1n || rip < At.code || rip >= At.input) return undefined;
  return decodeCase([...batch.memory.subarray(rip, rip + 15)]);
}

/** Register numbers in the order of `REGISTERS`. */
const REGISTER_ORDER = [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

type Note = (name: string, x: bigint | number, y: bigint | number) => void;

/** #SS, #GP, #PF and #AC. */
const MEMORY_FAULTS: readonly bigint[] = [12n, 13n, 14n, 17n];

/** Of an instruction that makes several accesses, which of them faults first is left open. */
function touchesMuch(i: Instruction | undefined): boolean {
  return /^(fn?st?env|fldenv|fnsave|frstor|cmpxchg16b|cmps[bwdq])$/.test(i?.form.mnemonic ?? "");
}

/** Undefined flags of all instructions of a case. */
function flagsOfCase(bytes: readonly number[], inputs: Inputs, fsw: number): number {
  let mask = 0;
  for (let at = 0; at < bytes.length; ) {
    const i = decodeCase(bytes.slice(at));
    if (i === undefined) break;
    mask |= undefinedFlags(i, inputs, fsw, at > 0);
    at += i.length;
  }
  return mask;
}

function compareFault(
  i: Instruction | undefined,
  a: DataView,
  b: DataView,
  mask: number,
  strictness: Strictness,
  note: Note,
): void {
  for (const name of FAULT_FIELDS) {
    const at = Output[name];
    const isFrame = name === "faultFlags";
    const vector = a.getBigInt64(Output.vector, true);
    if (vector === -1n && name !== "vector" && name !== "taken") continue;
    if (strictness === "processor" && touchesMuch(i)) {
      if (name === "error") continue;
      if (
        name === "vector" &&
        MEMORY_FAULTS.includes(vector) &&
        MEMORY_FAULTS.includes(b.getBigInt64(at, true))
      )
        continue;
    }
    if (isFrame) {
      const kept = strictness === "processor" ? mask & FRAME_FLAGS : -1;
      note(name, a.getUint32(at, true) & kept, b.getUint32(at, true) & kept);
    } else if (strictness === "engine" || !isStackByPrefix(name, a, b)) {
      const left =
        strictness === "processor" && name === "error" && isInKernelHalf(a) ? HOSTS_ERROR_BITS : 0n;
      note(name, a.getBigInt64(at, true) & ~left, b.getBigInt64(at, true) & ~left);
    }
  }
  if (a.getBigInt64(Output.vector, true) === 14n && !(strictness === "processor" && touchesMuch(i))) {
    note("cr2", a.getBigUint64(Output.cr2, true), b.getBigUint64(Output.cr2, true));
  }
}

/** P and RSVD (SDM Vol. 3A, "Page-Fault Exception"). */
const HOSTS_ERROR_BITS = 0b1001n;

/**
 * Where ring 3 is native, the host itself lies in the upper half: a page that the guest does not have there is reported as
 * absent or as one with a reserved bit, as the host's own tables happen to be (0x14 or 0x1d for a fetch).
 */
const isInKernelHalf = (fault: DataView): boolean =>
  fault.getBigInt64(Output.vector, true) === 14n && fault.getBigInt64(Output.cr2, true) < 0n;

/** The host's emulator lets an SS prefix turn #GP into #SS in 64-bit mode. */
function isStackByPrefix(name: string, a: DataView, b: DataView): boolean {
  return (
    name === "vector" &&
    a.getBigInt64(Output.vector, true) === 12n &&
    b.getBigInt64(Output.vector, true) === 13n
  );
}

/** Bytes of an FXSAVE image that are not compared: opcode and pointers, which processors keep differently. */
const FPU_POINTERS = [6, 24] as const;

function compareFpu(batch: Batch, index: number, a: DataView, b: DataView, strictness: Strictness): string[] {
  const fields: string[] = [];
  const lenient = strictness === "processor";
  const mnemonics = mnemonicsOf(batch.cases[index]!.bytes);
  if (lenient && isOutOfRange(mnemonics, batch, index)) return fields;
  for (let at = 0; at < 416; at += at < 32 ? 2 : 8) {
    if (lenient && at >= FPU_POINTERS[0] && at < FPU_POINTERS[1]) continue;
    if (at >= 28 && at < 32) continue;
    const [x, y] =
      at < 32
        ? [a.getUint16(at, true), b.getUint16(at, true)]
        : [a.getBigUint64(at, true), b.getBigUint64(at, true)];
    if (x === y) continue;
    if (lenient && at === 2 && ((Number(x) ^ Number(y)) & ~undefinedConditions(mnemonics, Number(x))) === 0)
      continue;
    if (lenient && at >= 32 && isCloseEnough(mnemonics, a, b, at)) continue;
    fields.push(`${fpuField(at)} ${hex(x)} ${hex(y)}`);
  }
  return fields;
}

function fpuField(at: number): string {
  const words: Readonly<Record<number, string>> = { 0: "fcw", 2: "fsw", 4: "ftw", 6: "fop", 24: "mxcsr" };
  if (at < 32) return words[at] ?? `fxsave+${at}`;
  if (at < 160) return `st${(at - 32) >> 4}${at & 8 ? ".exponent" : ""}`;
  return `xmm${(at - 160) >> 4}${at & 8 ? ".high" : ""}`;
}

function mnemonicsOf(bytes: readonly number[]): string[] {
  const names: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const i = decodeCase(bytes.slice(at));
    if (i === undefined) break;
    names.push(i.form.mnemonic);
    at += i.length;
  }
  return names;
}

/** F2XM1 beyond ±1 and FYL2XP1 beyond its range give undefined results (SDM Vol. 2A, "F2XM1", "FYL2XP1"). */
function isOutOfRange(mnemonics: readonly string[], batch: Batch, index: number): boolean {
  const view = new DataView(batch.memory.buffer, At.input + index * Stride.input);
  const exponent = view.getUint16(40, true) & 0x7fff;
  return (
    (mnemonics.includes("f2xm1") && exponent >= 0x3fff) ||
    (mnemonics.includes("fyl2xp1") && exponent >= 0x3ffd)
  );
}

/** A faulting MMX store that the host tried to emulate has left MMX state behind: #GP, or #SS (isStackByPrefix). */
function isEmulatedMmxStore(a: DataView, b: DataView): boolean {
  return [a, b].every((output) => [12n, 13n].includes(output.getBigInt64(Output.vector, true)));
}

/** Neighbouring numbers have neighbouring ranks. */
function rank(view: DataView, at: number): bigint {
  const fraction = view.getBigUint64(at, true) & ((1n << 63n) - 1n);
  return (BigInt(view.getUint16(at + 8, true)) << 63n) | fraction;
}

function isCloseEnough(mnemonics: readonly string[], a: DataView, b: DataView, at: number): boolean {
  if (mnemonics.some((name) => APPROXIMATE.test(name)) && at >= 160) {
    return [at, at + 4].every((n) => {
      const [x, y] = [a.getFloat32(n, true), b.getFloat32(n, true)];
      return a.getUint32(n, true) === b.getUint32(n, true) || Math.abs(x - y) <= Math.abs(x) * 3 * 2 ** -12;
    });
  }
  if (!mnemonics.some((name) => TRANSCENDENTAL.test(name)) || at >= 160) return false;
  const difference = rank(a, at & ~15) - rank(b, at & ~15);
  return (difference < 0n ? -difference : difference) <= 2n;
}

function compareData(
  i: Instruction | undefined,
  a: Uint8Array,
  b: Uint8Array,
  from: number,
  length: number,
  strictness: Strictness,
): string[] {
  const fields: string[] = [];
  const undefinedStore = strictness === "processor" && i !== undefined && /^sh[lr]d$/.test(i.form.mnemonic);
  for (let at = from; at < from + length; at++) {
    if (a[at] === b[at] || undefinedStore) continue;
    fields.push(`[${hex(At.data + at)}] ${hex(a[at]!)} ${hex(b[at]!)}`);
    if (fields.length > 8) break;
  }
  return fields;
}
