/**
 * Calls into a guest that waits for them.
 *
 * The guest stands at the hypercall of plugins/calls.ts. A call puts function and arguments where that loop expects
 * them, lets the guest run, and finds the result when it waits again. There is no other way in: what the guest makes
 * of it is the guest's own code.
 */
import { ERRNO } from "@kvmkit/guest-kernel/abi";
import { REG, type VirtualCpu } from "./accelerators/accelerator.js";
import { ARGUMENT_REGISTERS } from "./call-arguments.js";
import { reasonOf, VmError } from "./errors.js";
import { Copied, f64Bits, type Passed, type Returned } from "./guest-function.js";
import type { StopSource } from "./host/stop-source.js";
import { type GuestSpace, PageNeeded } from "./memory/guest-space.js";
import { CALL_FRAME } from "./plugins/calls.js";
import type { RunControl, WaitingGuest } from "./run-control.js";
import type { RunLoop } from "./run-loop.js";

export interface GuestCallerInput {
  readonly cpu: VirtualCpu;
  readonly control: RunControl;
  readonly loop: RunLoop;
  /** The program's memory by its own rights. */
  readonly space: GuestSpace;
  readonly stop: StopSource;
  requestPages(needed: PageNeeded): void;
}

/** SSE arguments that registers carry; integer ones are as many as ARGUMENT_REGISTERS. */
const SSE_REGISTERS = 8;
const STACK_ALIGNMENT = 16n;
const CARRY_FLAG = 1;
/** Consecutive requests for one page after which it is given up: the kernel would have it by then. */
const POPULATE_ATTEMPTS = 16;

/** What registers carry, and what follows them on the stack. */
interface Arguments {
  readonly integers: readonly bigint[];
  readonly sse: readonly bigint[];
  readonly stack: readonly bigint[];
}

export class GuestCaller {
  readonly #input: GuestCallerInput;
  /** The hypercall's number, which the kernel finds in rax if it is to make the call again. */
  readonly #number: bigint;

  /** The guest waits. */
  constructor(input: GuestCallerInput) {
    this.#input = input;
    this.#number = input.cpu.registers[REG.rax]!;
  }

  /**
   * Calls the function at Gva `address`. Result: undefined where the run ended meanwhile.
   * Errors: ERR_VM_CALL_MEMORY, and then nothing was called.
   */
  call(symbol: string, address: bigint, passed: readonly Passed[], wantsXmm0: boolean): Returned | undefined {
    const { control } = this.#input;
    const rsp = this.#place(symbol, passed);
    if (rsp === undefined) return undefined;
    this.#enter(address, passed, rsp);
    const { waiting } = control;
    if (waiting === undefined) return undefined;
    this.#takeBack(symbol, passed);
    return { rax: waiting.result, xmm0: wantsXmm0 ? this.#xmm0(symbol, waiting) : Number.NaN };
  }

  /** Copies what is passed in memory below the guest's stack pointer. Result: rsp for the call. */
  #place(symbol: string, passed: readonly Passed[]): bigint | undefined {
    for (let attempts = 0, last = -1n; ; ) {
      try {
        return this.#tryToPlace(this.#input.control.waiting!, passed);
      } catch (thrown) {
        if (!(thrown instanceof PageNeeded)) throw noMemory(symbol, thrown);
        attempts = thrown.address === last ? attempts + 1 : 1;
        last = thrown.address;
        if (attempts > POPULATE_ATTEMPTS) throw noMemory(symbol, thrown);
        if (this.#populate(thrown) === undefined) return undefined;
      }
    }
  }

  #tryToPlace({ frame }: WaitingGuest, passed: readonly Passed[]): bigint {
    let rsp = frame & -STACK_ALIGNMENT;
    const { space } = this.#input;
    space.beginCall();
    for (const argument of passed) {
      if (!(argument instanceof Copied)) continue;
      rsp = (rsp - BigInt(argument.bytes.length)) & -STACK_ALIGNMENT;
      argument.address = rsp;
      space.write(rsp, argument.bytes);
    }
    const { sse, stack } = classify(passed);
    if (sse.length > 0) space.write(frame + BigInt(CALL_FRAME.sse), wordsOf(sse));
    if (stack.length === 0) return rsp;
    rsp = (rsp - BigInt(8 * stack.length)) & -STACK_ALIGNMENT;
    space.write(rsp, wordsOf(stack));
    return rsp;
  }

  /** Lets the kernel make pages present, and the guest wait again. */
  #populate(needed: PageNeeded): WaitingGuest | undefined {
    const { cpu, requestPages } = this.#input;
    requestPages(needed);
    cpu.registers[REG.rax] = this.#number;
    cpu.registers32[REG.rflags * 2]! |= CARRY_FLAG;
    return this.#run();
  }

  #enter(address: bigint, passed: readonly Passed[], rsp: bigint): void {
    const { registers, registers32 } = this.#input.cpu;
    const { integers } = classify(passed);
    for (let index = 0; index < integers.length; index++) {
      registers[ARGUMENT_REGISTERS[index]!] = integers[index]!;
    }
    registers[REG.rax] = address;
    registers[REG.r12] = rsp;
    registers32[REG.rflags * 2]! &= ~CARRY_FLAG;
    this.#run();
  }

  #run(): WaitingGuest | undefined {
    const { control, cpu, loop } = this.#input;
    control.waiting = undefined;
    cpu.registersChanged();
    loop.run();
    return control.waiting;
  }

  #takeBack(symbol: string, passed: readonly Passed[]): void {
    for (const argument of passed) {
      if (!(argument instanceof Copied) || argument.takeBack === undefined) continue;
      argument.takeBack(this.#read(symbol, argument.address, argument.bytes.length));
    }
  }

  #xmm0(symbol: string, { frame }: WaitingGuest): number {
    const bytes = this.#read(symbol, frame + BigInt(CALL_FRAME.sse), 8);
    return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true);
  }

  #read(symbol: string, address: bigint, length: number): Uint8Array {
    const { space } = this.#input;
    space.beginCall();
    try {
      return space.read(address, length);
    } catch (thrown) {
      throw noMemory(symbol, thrown);
    }
  }
}

/** In their order, each to the registers of its class while there are any, then to the stack. */
function classify(passed: readonly Passed[]): Arguments {
  const integers: bigint[] = [];
  const sse: bigint[] = [];
  const stack: bigint[] = [];
  for (const argument of passed) {
    if (typeof argument === "number") (sse.length < SSE_REGISTERS ? sse : stack).push(f64Bits(argument));
    else {
      const value = argument instanceof Copied ? argument.address : argument;
      (integers.length < ARGUMENT_REGISTERS.length ? integers : stack).push(value);
    }
  }
  return { integers, sse, stack };
}

function wordsOf(words: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(words, (word) => BigInt.asUintN(64, word)).buffer);
}

function noMemory(symbol: string, thrown: unknown): VmError {
  const reason =
    thrown instanceof PageNeeded
      ? `no page at 0x${thrown.address.toString(16)} (-${ERRNO.EFAULT})`
      : reasonOf(thrown);
  return new VmError("ERR_VM_CALL_MEMORY", { symbol, reason });
}
