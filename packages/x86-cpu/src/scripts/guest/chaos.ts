/**
 * Random code at any level and in any mode, privileged instructions included, with tables that it may overwrite: what
 * comes of it has no second opinion but that of the other engine, and is never an exception of the host.
 */
import type { Cpu } from "../../cpu.js";
import type { CpuExit } from "../../exits.js";
import { allForms, type Form } from "../../forms.js";
import { Msr } from "../../msrs.js";
import { encode } from "../differential/generate.js";
import type { Random } from "../differential/random.js";
import type { SoftBox } from "./box.js";
import { At, Guest, type Mode, Sel } from "./guest.js";

const MODES: readonly Mode[] = ["long", "long", "long", "protected", "real"];
/** What only such code can be asked: half of it is drawn from these. */
const SYSTEM =
  /^(l?jmp|l?call|ret|retf|iret|int|lgdt|lidt|lldt|ltr|lmsw|mov|pop|push|wrmsr|rdmsr|swapgs|sys|hlt|cli|sti|in|out|invlpg|l[defgs]s|popf|pushf|clts|stac|clac|rep|cmpxchg|fx|verr|lar|lsl|arpl|bound|into|loop|j|enter|leave|aa|da)/;

const INTERESTING: readonly bigint[] = [
  ...[At.code, At.data, At.stack, At.gdt, At.idt, At.tss, At.free, At.pt, 0x200000, 0x3ffff8].map(BigInt),
  ...[Sel.code32, Sel.code64, Sel.data, Sel.userCode32, Sel.userData, Sel.userCode64, Sel.tss].map(BigInt),
  ...[0n, 1n, 0xffffffffffffffffn, 0x800000000000n, 0x80050033n, 0x620n, 0x1000n, 0xd01n, 0x10000000n],
  ...[Msr.IA32_EFER, Msr.IA32_LSTAR, Msr.IA32_STAR, Msr.IA32_GS_BASE].map(BigInt),
];

function bytesOf(r: Random, forms: readonly Form[], system: readonly Form[]): number[] {
  const code: number[] = [];
  while (code.length < 200) {
    if (r.chance(3)) code.push(r.below(256));
    else code.push(...encode(r, r.pick(r.chance(50) ? system : forms)));
  }
  return code;
}

/** A guest whose code, registers and tables come from `r`. */
export function prepareChaos(box: SoftBox, r: Random): void {
  const mode = r.pick(MODES);
  const guest = new Guest(box, { mode, level: mode !== "real" && r.chance(40) ? 3 : 0 });
  const bit = { real: 1, protected: 2, long: 4 }[mode];
  const forms = allForms().filter(({ modes }) => modes & bit);
  const system = forms.filter(({ mnemonic }) => SYSTEM.test(mnemonic));
  box.ram.set(bytesOf(r, forms, system), At.code);
  // Handlers that do more than to halt, and run into one another.
  box.ram.set(bytesOf(r, forms, system), At.handlers);
  for (const name of ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8", "r9", "r12", "r13"] as const) {
    guest.regs[name] = r.pick(INTERESTING) + BigInt(r.below(16));
  }
  guest.regs.rflags |= BigInt(r.u32() & 0x247fd5);
  for (let n = r.below(6); n > 0; n--) {
    const table = r.pick([At.gdt, At.idt, At.tss, At.pt, At.pd]);
    guest.write(
      table + r.below(64) * 8,
      r.chance(50) ? r.u64() : r.pick(INTERESTING) | BigInt(r.below(0x100)),
    );
  }
  box.cpu.setMsrs([
    { index: Msr.IA32_STAR, data: 0x0023001000000000n },
    { index: Msr.IA32_LSTAR, data: BigInt(At.handlers + r.below(64)) },
    { index: Msr.IA32_SYSENTER_CS, data: 0x10n },
  ]);
  box.setSregs(guest.sregs);
  box.setRegs(guest.regs);
}

/** Answers exits as a VMM would that knows nothing, and now and then queues an event. */
export function runChaos({ cpu }: SoftBox, r: Random, instructions: number): string[] {
  const exits: string[] = [];
  while (cpu.instructions < instructions && exits.length < 100) {
    const exit: CpuExit = cpu.run({ budget: Math.min(1 + r.below(60), instructions - cpu.instructions) });
    exits.push(describe(exit));
    if (exit.reason === "KVM_EXIT_SHUTDOWN" || exit.reason === "KVM_EXIT_INTERNAL_ERROR") break;
    if ("data" in exit) exit.data.fill(r.below(256));
    if (r.chance(5)) cpu.nmi();
    if (r.chance(10) && cpu.readyForInterruptInjection) cpu.interrupt(r.below(256));
  }
  return exits;
}

function describe(exit: CpuExit): string {
  if (exit.reason === "KVM_EXIT_IO") return `io ${exit.direction} ${exit.port} ${exit.size} ${exit.data}`;
  if (exit.reason === "KVM_EXIT_MMIO") return `mmio ${exit.is_write} ${exit.phys_addr} ${exit.data}`;
  return exit.reason;
}

/** State and memory as far as they can differ between engines. */
export function stateOf(cpu: Cpu) {
  return {
    regs: cpu.getRegs(),
    sregs: cpu.getSregs(),
    fpu: cpu.getFpu(),
    events: cpu.getVcpuEvents(),
    debugregs: cpu.getDebugregs(),
    tsc: cpu.getMsr(Msr.IA32_TIME_STAMP_COUNTER),
    instructions: cpu.instructions,
  };
}
