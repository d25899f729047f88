/**
 * Counts what ring 0 executes: a breakpoint at each way into the kernel, single steps to the way out. Where ring 0 is
 * emulated an instruction costs half a microsecond or more, so the counts are what a call costs, and they do not
 * depend on how busy the machine is. Source: KVM api.rst, "KVM_SET_GUEST_DEBUG".
 */
import type { KernelImage } from "@kvmkit/guest-kernel";
import { KVM_EXIT, kvm_run, Vcpu } from "@kvmkit/kvm-bindings";
import type { GuestProgram } from "./guest-program.js";
import { type GuestMachine, type GuestRun, runGuest } from "./run-guest.js";

/** Instructions by the function that they are in, for one stay in ring 0. */
export type Counts = ReadonlyMap<string, number>;

export const totalOf = (counts: Counts): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);

const GUESTDBG = { ENABLE: 1, SINGLESTEP: 2, USE_HW_BP: 0x2_0000 } as const;
/** DR7: execution breakpoints 0 to 3, as many as there are addresses. */
const dr7 = (count: number) => BigInt(0x400 | Number.parseInt("10".repeat(count), 2));
/** The program counter among the general registers of kvm_run (struct kvm_regs). */
const RIP = kvm_run.fields["regs"]!.offset + 16 * 8;

/** Runs a program and returns what each stay in ring 0 executed that began at one of `entries`. */
export async function countInstructions(
  machine: GuestMachine,
  entries: readonly string[],
  emit: (p: GuestProgram) => void,
): Promise<{ readonly run: GuestRun; readonly stays: readonly Counts[] }> {
  const { kernel } = await runGuest(machine, () => {});
  const stepper = new Stepper(kernel, entries);
  const { run } = Vcpu.prototype;
  Vcpu.prototype.run = function (stop) {
    return stepper.run(this, () => run.call(this, stop));
  };
  try {
    return { run: await runGuest(machine, emit), stays: stepper.stays };
  } finally {
    Vcpu.prototype.run = run;
  }
}

class Stepper {
  readonly stays: Map<string, number>[] = [];
  readonly #functions: KernelImage["symbols"];
  readonly #breakpoints: bigint[];
  readonly #exits: Set<bigint>;
  #armed = new WeakSet<Vcpu>();
  #current: Map<string, number> | undefined;

  constructor(kernel: KernelImage, entries: readonly string[]) {
    this.#functions = kernel.symbols.filter(({ type }) => type === "func");
    this.#breakpoints = entries.map((name) => this.#functions.find((symbol) => symbol.name === name)!.value);
    this.#exits = returnsOf(kernel);
  }

  run(vcpu: Vcpu, enter: () => number): number {
    if (!this.#armed.has(vcpu)) {
      this.#armed.add(vcpu);
      this.#wait(vcpu);
    }
    for (;;) {
      const reason = enter();
      if (reason !== KVM_EXIT.KVM_EXIT_DEBUG) return reason;
      this.#stopped(vcpu, vcpu.runPage.view.getBigUint64(RIP, true));
    }
  }

  #stopped(vcpu: Vcpu, rip: bigint): void {
    if (this.#current === undefined) {
      this.#current = new Map();
      this.stays.push(this.#current);
      vcpu.setGuestDebug({ control: GUESTDBG.ENABLE | GUESTDBG.SINGLESTEP });
    }
    const name = this.#functionAt(rip);
    this.#current.set(name, (this.#current.get(name) ?? 0) + 1);
    if (!this.#exits.has(rip)) return;
    this.#current = undefined;
    this.#wait(vcpu);
  }

  #wait(vcpu: Vcpu): void {
    const addresses = [...this.#breakpoints, 0n, 0n, 0n, 0n].slice(0, 4);
    const debugreg = [...addresses, 0n, 0n, 0n, dr7(this.#breakpoints.length)];
    vcpu.setGuestDebug({ control: GUESTDBG.ENABLE | GUESTDBG.USE_HW_BP, debugreg });
  }

  #functionAt(rip: bigint): string {
    return this.#functions.findLast(({ value }) => value <= rip)?.name ?? "?";
  }
}

/** Where SYSRETQ and IRETQ stand. */
function returnsOf({ segments, symbols }: KernelImage): Set<bigint> {
  const { bytes, vaddr } = segments[0]!;
  const functions = symbols.filter(({ type }) => type === "func");
  const last = functions[functions.length - 1]!;
  const end = Number(last.value - vaddr) + last.sizeBytes;
  const found = new Set<bigint>();
  for (let at = 0; at < end - 2; at++) {
    const isSysret = bytes[at] === 0x48 && bytes[at + 1] === 0x0f && bytes[at + 2] === 0x07;
    const isIret = bytes[at] === 0x48 && bytes[at + 1] === 0xcf;
    if (isSysret || isIret) found.add(vaddr + BigInt(at));
  }
  return found;
}
