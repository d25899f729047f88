/**
 * Random cases from the instruction table: a form with random operands, then now and then with mutated bytes; inputs
 * biased to edges. A case is told by seed, batch and index.
 */

import { Gpr } from "../../architecture.js";
import { allForms, type Form, ModrmKind, Slot } from "../../forms.js";
import { isExcluded } from "./exclusions.js";
import { At, BASE, Harness, Input, REGISTERS, Special, Stride, TAKEN } from "./image.js";
import type { Random } from "./random.js";

/** How cases are made. */
export interface Mix {
  /** Instructions of a case that is not mutated: up to so many. */
  readonly length: number;
  /** Percent of cases whose bytes are mutated, and of ones that are nothing but random bytes. */
  readonly mutated: number;
  readonly random: number;
  /** Only forms for which this holds. */
  readonly only?: (form: Form) => boolean;
}

export const DEFAULT_MIX: Mix = { length: 1, mutated: 12, random: 2 };

const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  0x7fffffffffffffffn,
  0x8000000000000000n,
  0xffffffffffffffffn,
  0xfffffffffffffffen,
  0xffffffff80000000n,
  0x5555555555555555n,
  0xaaaaaaaaaaaaaaaan,
];

export function edgeInteger(r: Random): bigint {
  switch (r.below(4)) {
    case 0:
      return r.pick(EDGES);
    case 1:
      return BigInt.asUintN(64, r.pick(EDGES) + BigInt(r.below(9) - 4));
    case 2:
      return r.u64() >> BigInt(r.below(64));
    default:
      return r.u64();
  }
}

// --- encoding ---

class Bytes {
  readonly list: number[] = [];

  push(...bytes: readonly number[]): void {
    for (const byte of bytes) this.list.push(byte & 0xff);
  }

  integer(value: number, size: number): void {
    for (let n = 0; n < size; n++) this.push(value >> (n * 8));
  }
}

const SEGMENT_PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
const MANDATORY = [0, 0x66, 0xf3, 0xf2];
const ESCAPES: readonly (readonly number[])[] = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]];

/** What prefixes decide before operands are chosen. */
interface Shape {
  rex: number;
  operandSize: number;
}

function chooseShape(r: Random, form: Form): Shape {
  const free = r.pick([4, 4, 4, 4, 2, 8]);
  const operandSize = form.operandSize || (form.noPrefix && free === 2 ? 4 : free);
  const wide = operandSize === 8 || form.rexW;
  const rex = (wide ? 8 : 0) | (r.chance(50) ? r.below(8) : 0);
  return { rex: rex !== 0 || r.chance(10) ? 0x40 | rex : 0, operandSize };
}

function writePrefixes(r: Random, form: Form, shape: Shape, out: Bytes, memory: boolean): void {
  const repeatable = /^(movs|stos|lods|cmps|scas)[bwdq]$/.test(form.mnemonic) && form.operands.length === 0;
  const locks = form.lockable && memory ? r.chance(40) : r.chance(1);
  if (locks) out.push(0xf0);
  if (r.chance(3)) out.push(r.pick(SEGMENT_PREFIXES));
  if (form.addressSize === 4 || (form.addressSize === 0 && r.chance(5))) out.push(0x67);
  if (shape.operandSize === 2) out.push(0x66);
  if (form.prefix !== 0) out.push(MANDATORY[form.prefix]!);
  else if (repeatable ? r.chance(60) : !form.noPrefix && r.chance(1)) out.push(r.pick([0xf2, 0xf3]));
  if (shape.rex) out.push(shape.rex);
}

/** Registers that hold an address in the data area, at most inputs. */
const POINTERS = [Gpr.RBX, Gpr.RBP, Gpr.RSI, Gpr.RDI, Gpr.RSP, 9, 12, 13];

function writeMemory(r: Random, shape: Shape, digit: number, out: Bytes): void {
  const base = r.chance(90) ? r.pick(POINTERS) : r.below(16);
  const rexB = base >> 3;
  if (rexB) shape.rex |= 0x41;
  const reg = (digit & 7) << 3;
  const kind = r.below(10);
  if (kind === 0) {
    // RIP-relative, into the data area.
    out.push(reg | 5);
    out.integer(At.data - At.code + r.below(0x40000), 4);
    return;
  }
  const mod = r.pick([0, 1, 1, 2]);
  const needsSib = (base & 7) === 4 || kind < 3;
  const displacement = r.pick([0, 8, 16, -8, 1, r.below(64) - 32]);
  const effectiveMod = mod === 0 && (base & 7) === 5 ? 1 : mod;
  if (needsSib) {
    const index = r.chance(60) ? 4 : r.pick([Gpr.RCX, Gpr.RDX, 8]);
    if (index > 7) shape.rex |= 0x42;
    out.push((effectiveMod << 6) | reg | 4, (r.below(4) << 6) | ((index & 7) << 3) | (base & 7));
  } else {
    out.push((effectiveMod << 6) | reg | (base & 7));
  }
  if (effectiveMod === 1) out.push(displacement);
  else if (effectiveMod === 2) out.integer(displacement, 4);
}

function immediate(r: Random, size: number, out: Bytes): void {
  const value = edgeInteger(r);
  for (let n = 0; n < size; n++) out.push(Number((value >> BigInt(n * 8)) & 0xffn));
}

const TAIL_BYTES: Readonly<Record<number, number>> = {
  [Slot.ib]: 1,
  [Slot.iw]: 2,
  [Slot.id]: 4,
  [Slot.iq]: 8,
};

/** Bytes of a random instruction of a form. */
export function encode(r: Random, form: Form): number[] {
  const shape = chooseShape(r, form);
  const rm = form.operands.find(({ slot }) => slot === Slot.rm || slot === Slot.both);
  const memory = rm?.takesMemory === true && (!rm.takesRegister || r.chance(50));
  const body = new Bytes();
  writeOpcode(r, form, shape, body, memory);
  for (const { slot } of form.operands) {
    if (slot in TAIL_BYTES) immediate(r, TAIL_BYTES[slot]!, body);
    if (slot === Slot.moffs) immediate(r, 8, body);
  }
  const out = new Bytes();
  writePrefixes(r, form, shape, out, memory);
  out.push(...ESCAPES[form.map]!, ...body.list);
  return out.list;
}

function writeOpcode(r: Random, form: Form, shape: Shape, body: Bytes, memory: boolean): void {
  const inOpcode = form.plusRegister && form.modrmKind !== ModrmKind.fixed;
  body.push(form.opcode + (inOpcode ? r.below(8) : 0));
  if (form.modrmKind === ModrmKind.fixed) body.push(form.modrm + (form.plusRegister ? r.below(8) : 0));
  else if (form.modrmKind !== ModrmKind.none) {
    const digit = form.modrmKind === ModrmKind.digit ? form.modrm : r.below(8);
    if (memory) writeMemory(r, shape, digit, body);
    else body.push(0xc0 | (digit << 3) | r.below(8));
  }
}

/** Bytes of a branch's displacement, or 0. */
function branchBytes(form: Form): number {
  const operand = form.operands.find(({ slot }) => slot === Slot.cb || slot === Slot.cd);
  return operand === undefined ? 0 : operand.slot === Slot.cb ? 1 : 4;
}

/**
 * Some instructions in a row. A relative branch goes to a later one of them, or to the place in the slot that says that
 * it was taken.
 */
function sequence(r: Random, length: number, choices: readonly Form[]): number[] {
  const parts = Array.from({ length }, () => {
    const form = r.pick(choices);
    return { bytes: encode(r, form), branch: branchBytes(form) };
  });
  const starts: number[] = [];
  let end = 0;
  for (const { bytes, branch } of parts) {
    starts.push(end);
    end += bytes.length + branch;
  }
  return parts.flatMap(({ bytes, branch }, n) => {
    const next = starts[n + 1] ?? end;
    const later = starts.filter((start) => start > next);
    const target = later.length > 0 && r.chance(70) ? r.pick(later) : TAKEN;
    return [...bytes, ...Array.from({ length: branch }, (_, k) => ((target - next) >> (k * 8)) & 0xff)];
  });
}

// --- cases ---

/** What fits in front of the jump back, and is within reach of a short branch. */
const MAX_BYTES = 108;

function mutate(r: Random, bytes: number[]): number[] {
  const out = [...bytes];
  for (let n = r.below(3); n >= 0; n--) {
    const at = r.below(out.length);
    const kind = r.below(5);
    if (kind === 0) out[at] = r.below(256);
    else if (kind === 1) out[at] = out[at]! ^ (1 << r.below(8));
    else if (kind === 2)
      out.splice(at, 0, r.pick([0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x40 | r.below(16), 0x2e, 0x64]));
    else if (kind === 3) out.splice(at, 0, r.below(256));
    else if (out.length > 1) out.splice(at, 1);
  }
  return out;
}

/** Tries after which forms count as ones that are never run. */
const TRIES = 1000;

/** Bytes of one case that may be tried. Throws where there seem to be none. */
export function caseBytes(r: Random, mix: Mix, choices: readonly Form[]): number[] {
  for (let n = 0; n < TRIES; n++) {
    const bytes = r.chance(mix.random)
      ? Array.from({ length: 2 + r.below(14) }, () => r.below(256))
      : sequence(r, 1 + r.below(mix.length), choices);
    const final = r.chance(mix.mutated) ? mutate(r, bytes) : bytes;
    if (final.length > MAX_BYTES) continue;
    fillSlot(scratch, 0, final, 0);
    if (!isExcluded(scratch, final.length)) return final;
  }
  throw new Error(`every case of ${choices.length} forms is excluded`);
}

/** All forms that exist in 64-bit mode. */
export function choicesFor({ only }: Mix): readonly Form[] {
  return allForms().filter((form) => form.modes & 4 && (only?.(form) ?? true));
}

const scratch = new Uint8Array(Stride.code);

function jump(view: DataView, at: number, target: number): void {
  view.setUint8(at, 0xe9);
  view.setInt32(at + 1, target, true);
}

/** A case's bytes, the jump back, breakpoints, and the jump for taken branches; `at` in `memory`, for address `address`. */
function fillSlot(memory: Uint8Array, at: number, bytes: readonly number[], address: number): void {
  const view = new DataView(memory.buffer, memory.byteOffset + at, Stride.code);
  memory.fill(0xcc, at, at + Stride.code);
  memory.set(bytes, at);
  jump(view, bytes.length, Harness.done - (address + bytes.length + 5));
  jump(view, TAKEN, Harness.branch - (address + TAKEN + 5));
}

export function writeSlot(memory: Uint8Array, index: number, bytes: readonly number[]): void {
  const at = At.code + index * Stride.code;
  fillSlot(memory, at, bytes, at);
}

/** An address that cases may work on, near the edges of things. */
export function pointer(r: Random, index: number): bigint {
  return BASE + BigInt(dataOffset(r, At.data + index * Stride.data));
}

function dataOffset(r: Random, own: number): number {
  const kind = r.below(20);
  if (kind < 14) return own + 256 + r.below(32) * 16;
  if (kind < 16) return own + 256 + r.below(512);
  if (kind === 16) return own + 1008 + r.below(32);
  const edge = r.pick([
    Special.readOnly,
    Special.readOnly + 0x1000,
    Special.absent,
    Special.supervisor,
    Special.afterSupervisor,
  ]);
  return edge + r.below(48) - 32;
}

/** Flags of an input: all that ring 3 may set, but TF; AC seldom. */
function inputFlags(r: Random): bigint {
  return BigInt((r.u32() & (r.chance(10) ? 0x240cd5 : 0x200cd5)) | 2);
}

function counts(r: Random): bigint {
  return r.chance(60) ? BigInt(r.below(70)) : edgeInteger(r);
}

export function writeInput(
  r: Random,
  memory: Uint8Array,
  index: number,
  fpu: (r: Random, at: number) => void,
): void {
  const view = new DataView(memory.buffer, memory.byteOffset, memory.length);
  const at = At.input + index * Stride.input;
  fpu(r, at + Input.fxsave);
  view.setBigUint64(at + Input.rflags, inputFlags(r), true);
  REGISTERS.forEach((name, n) => {
    const encoding = GPR_NUMBERS[name]!;
    const value = POINTERS.includes(encoding as 3)
      ? pointer(r, index)
      : encoding === Gpr.RCX || encoding === Gpr.RDX || encoding === 8
        ? counts(r)
        : edgeInteger(r);
    view.setBigUint64(at + Input.registers + n * 8, value, true);
  });
  view.setBigUint64(at + Input.rsp, pointer(r, index), true);
}

const GPR_NUMBERS: Readonly<Record<string, number>> = {
  rax: 0,
  rcx: 1,
  rdx: 2,
  rbx: 3,
  rbp: 5,
  rsi: 6,
  rdi: 7,
  ...Object.fromEntries([8, 9, 10, 11, 12, 13, 14, 15].map((n) => [`r${n}`, n])),
};
