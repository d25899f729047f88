/**
 * Long sequences of calls and accesses: a guest that carries a list out and hands all results back in one write, so
 * that a test may have thousands of steps, computed beforehand by a model of what must happen.
 */
import type { SyscallName } from "@kvmkit/guest-kernel/abi";
import { mem, r8, r9, r10, r12, r13, r14, rax, rbx, rdi, rdx, rsi } from "@kvmkit/x86-asm";
import { type GuestProgram, syscallNumber } from "./guest-program.js";

export type Step =
  | {
      readonly kind: "call";
      readonly call: SyscallName | number;
      readonly args: readonly (number | bigint)[];
    }
  /** Result: the quadword there. */
  | { readonly kind: "load"; readonly address: bigint }
  /** Result: 0. */
  | { readonly kind: "store"; readonly address: bigint; readonly value: bigint };

const RECORD_BYTES = 64;
/** In place of a number. */
const LOAD = 0x1_0000;
const STORE = 0x1_0001;

/** Numbers of the debug calls (guest-kernel, syscalls/debug.ts). */
export const DEBUG = { freePages: 0xff0, access: 0xff1, panic: 0xff2 } as const;

export function call(name: SyscallName | number, ...args: readonly (number | bigint)[]): Step {
  return { kind: "call", call: name, args };
}

export function load(address: bigint): Step {
  return { kind: "load", address };
}

export function store(address: bigint, value: bigint): Step {
  return { kind: "store", address, value };
}

/** Emits a program that carries `steps` out and writes their results; then, if given, `last`, which may end it. */
export function emitScript(p: GuestProgram, steps: readonly Step[], last?: Step): void {
  const all = last === undefined ? steps : [...steps, last];
  const script = p.data("script", encode(all));
  const results = p.array("results", (all.length + 1) * 8);
  p.load(r12, script).load(r14, results);
  emitSteps(p, "steps", steps.length);
  p.call("write", 1, results, steps.length * 8);
  if (last !== undefined) emitSteps(p, "last", 1);
}

function emitSteps(p: GuestProgram, name: string, count: number): void {
  const { a } = p;
  if (count === 0) return;
  const field = (i: number) => mem.qword(r12, i * 8);
  p.load(r13, count);
  a.label(`${name}.step`);
  a.mov(rax, field(0));
  a.cmp(rax, LOAD);
  a.je(`${name}.load`);
  a.ja(`${name}.store`);
  for (const [i, register] of [rdi, rsi, rdx, r10, r8, r9].entries()) a.mov(register, field(i + 1));
  a.syscall();
  a.jmp(`${name}.result`);
  a.label(`${name}.load`);
  a.mov(rbx, field(1));
  a.mov(rax, mem.qword(rbx));
  a.jmp(`${name}.result`);
  a.label(`${name}.store`);
  a.mov(rbx, field(1));
  a.mov(rax, field(2));
  a.mov(mem.qword(rbx), rax);
  a.mov(rax, 0);
  a.label(`${name}.result`);
  a.mov(mem.qword(r14), rax);
  a.add(r14, 8);
  a.add(r12, RECORD_BYTES);
  a.dec(r13);
  a.jnz(`${name}.step`);
}

function encode(steps: readonly Step[]): Uint8Array {
  const bytes = new Uint8Array(steps.length * RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [i, step] of steps.entries()) {
    for (const [field, value] of fieldsOf(step).entries()) {
      view.setBigUint64(i * RECORD_BYTES + field * 8, BigInt.asUintN(64, BigInt(value)), true);
    }
  }
  return bytes;
}

function fieldsOf(step: Step): readonly (number | bigint)[] {
  if (step.kind === "load") return [LOAD, step.address];
  if (step.kind === "store") return [STORE, step.address, step.value];
  return [typeof step.call === "number" ? step.call : syscallNumber(step.call), ...step.args];
}

/** The results that a script wrote, as signed 64-bit integers. */
export function resultsOf(output: Uint8Array): bigint[] {
  const view = new DataView(output.buffer, output.byteOffset, output.byteLength);
  return Array.from({ length: Math.floor(output.byteLength / 8) }, (_, i) => view.getBigInt64(i * 8, true));
}
