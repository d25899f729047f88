import test from "ava";
import { RFLAGS } from "./architecture.js";
import { CpuError } from "./errors.js";
import { ENGINES, SoftBox } from "./scripts/guest/box.js";
import { At, Guest, type GuestOptions } from "./scripts/guest/guest.js";

const IF = BigInt(RFLAGS.IF);
const handler = (vector: number) => At.handlers + vector * 16;

for (const engine of ENGINES) {
  const make = (options: GuestOptions = {}) => {
    const box = new SoftBox(engine);
    return { box, cpu: box.cpu, guest: new Guest(box, options) };
  };

  test(`${engine}: an interrupt comes before the next instruction where IF is set, and pushes RFLAGS as they are (SDM Vol. 3A, "Masking Maskable Hardware Interrupts")`, (t) => {
    const { cpu, guest } = make();
    guest.regs.rflags |= IF;
    cpu.interrupt(0x21);
    const { what, frame, regs } = guest.run("nop");
    t.deepEqual([what, frame!.rip, frame!.rflags], ["vector 0x21", BigInt(At.code), 0x202n]);
    t.is(regs.rflags, 2n);
    t.is(cpu.getVcpuEvents().interrupt.injected, 0);
  });

  test(`${engine}: an interrupt waits while IF is clear, and for one instruction behind STI (SDM Vol. 2B, "STI")`, (t) => {
    const { cpu, guest } = make();
    guest.code("nop\nsti\nnop\nat: nop");
    cpu.interrupt(0xff);
    const { what, frame } = guest.run();
    t.deepEqual([what, frame!.rip], ["vector 0xff", guest.symbol("at")]);
  });

  test(`${engine}: STI with IF set opens no shadow, POPFQ has none (SDM Vol. 2B, "STI")`, (t) => {
    const { cpu, guest } = make();
    guest.code("push 0x202\npopfq\nat: nop");
    cpu.interrupt(0x40);
    t.is(guest.run().frame!.rip, guest.symbol("at"));
    const second = make();
    second.guest.code("sti\nnop\nsti\nat: nop");
    second.guest.box.setSregs(second.guest.sregs);
    second.guest.box.setRegs(second.guest.regs);
    t.is(second.cpu.run({ budget: 3 }).reason, "KVM_EXIT_INTR");
    second.cpu.interrupt(0x40);
    t.is(second.guest.resume().frame!.rip, second.guest.symbol("at"));
  });

  test(`${engine}: MOV and POP to SS hold interrupts, NMI and TF back for one instruction (SDM Vol. 3A, "Masking Exceptions and Interrupts When Switching Stacks")`, (t) => {
    for (const load of ["mov ss, eax", "push rax\npop rbx\nmov ss, ebx"]) {
      for (const kind of ["interrupt", "nmi"] as const) {
        const { cpu, guest } = make();
        guest.code(`mov eax, 0x18\npush 0x202\npopfq\n${load}\nnop\nat: nop`);
        guest.box.setSregs(guest.sregs);
        guest.box.setRegs(guest.regs);
        t.is(cpu.run({ budget: load.split("\n").length + 3 }).reason, "KVM_EXIT_INTR");
        if (kind === "nmi") cpu.nmi();
        else cpu.interrupt(0x21);
        t.is(guest.resume().frame!.rip, guest.symbol("at"));
      }
    }
  });

  test(`${engine}: an NMI comes with IF clear, and the next one only behind IRET (SDM Vol. 3A, "Handling Multiple NMIs")`, (t) => {
    const { cpu, guest } = make();
    guest.text("inc rbx\nhlt\niretq", handler(2));
    cpu.nmi();
    guest.code("nop\nat: nop\nnop");
    const first = guest.run();
    t.deepEqual([first.regs.rbx, cpu.getVcpuEvents().nmi.masked], [1n, 1]);
    cpu.nmi();
    t.is(cpu.getVcpuEvents().nmi.pending, 1);
    // IRETQ, then the second NMI at once.
    const second = guest.resume();
    t.deepEqual([second.regs.rbx, second.regs.rip], [2n, BigInt(handler(2) + 4)]);
    t.is(guest.word(At.stack - 40), BigInt(At.code));
    t.is(guest.resume().what, "done");
  });

  test(`${engine}: NMI goes before an interrupt (SDM Vol. 3A, "Priority Among Simultaneous Exceptions and Interrupts")`, (t) => {
    const { cpu, guest } = make();
    guest.regs.rflags |= IF;
    cpu.interrupt(0x21);
    cpu.nmi();
    const { what, frame } = guest.run("nop");
    t.deepEqual([what, frame!.rip], ["NMI", BigInt(At.code)]);
    guest.text("iretq", handler(2) + 1);
    t.is(guest.resume().what, "vector 0x21");
  });

  test(`${engine}: requestInterruptWindow leaves when an interrupt could come (KVM api.rst, "request_interrupt_window")`, (t) => {
    const { cpu, guest } = make();
    cpu.requestInterruptWindow = true;
    guest.code("nop\nsti\nnop\nat: nop\ncli");
    t.is(guest.run().what, "KVM_EXIT_IRQ_WINDOW_OPEN");
    t.is(cpu.getRegs().rip, guest.symbol("at"));
    t.true(cpu.readyForInterruptInjection);
    cpu.requestInterruptWindow = false;
    cpu.interrupt(0x30);
    t.false(cpu.readyForInterruptInjection);
    t.is(guest.resume().what, "vector 0x30");
    t.false(cpu.ifFlag);
  });

  test(`${engine}: a second interrupt and vectors beyond 255 are refused with ERR_CPU_INTERRUPT`, (t) => {
    const { cpu } = make();
    cpu.interrupt(0);
    for (const vector of [1, 256, -1, 1.5]) {
      const error = t.throws(() => cpu.interrupt(vector), { instanceOf: CpuError });
      t.is((error as CpuError).code, "ERR_CPU_INTERRUPT");
    }
    t.deepEqual(cpu.getVcpuEvents().interrupt, { injected: 1, nr: 0, soft: 0, shadow: 0 });
  });

  test(`${engine}: HLT leaves; an interrupt goes on behind it (SDM Vol. 2A, "HLT")`, (t) => {
    const { cpu, guest } = make();
    guest.code("sti\nhlt\nat: nop");
    t.is(guest.run().what, "KVM_EXIT_HLT");
    t.is(cpu.getRegs().rip, guest.symbol("at"));
    cpu.interrupt(0x21);
    const { what, frame } = guest.resume();
    t.deepEqual([what, frame!.rip], ["vector 0x21", guest.symbol("at")]);
  });

  test(`${engine}: an exception that the VMM injects comes before the next instruction (KVM api.rst, KVM_SET_VCPU_EVENTS)`, (t) => {
    const { cpu, guest } = make();
    const exception = { injected: 1, nr: 13, has_error_code: 1, pending: 0, error_code: 0x18 };
    cpu.setVcpuEvents({ ...cpu.getVcpuEvents(), exception });
    t.deepEqual(cpu.getVcpuEvents().exception, exception);
    const { what, frame } = guest.run("nop");
    t.deepEqual([what, frame!.rip], ["#GP(0x18)", BigInt(At.code)]);
  });

  /** A #DB handler that notes where each trap came. */
  const noteTraps = (guest: Guest) =>
    guest.text(
      `push rax\npush rdi\nmov rdi, [${At.free}]\nmov rax, [rsp + 16]\nmov [${At.free} + 8 + rdi * 8], rax
       inc qword ptr [${At.free}]\nmov rax, dr6\nmov [${At.free + 0x800}], rax\npop rdi\npop rax\niretq`,
      At.free + 0x1000,
    );
  const trapsOf = (guest: Guest) =>
    Array.from(
      { length: Number(guest.word(At.free)) },
      (_, n) => Number(guest.word(At.free + 8 + n * 8)) - At.code,
    );
  const traced = (code: string, change: (guest: Guest) => void = () => {}) => {
    const { guest } = make();
    guest.gate(1, { offset: At.free + 0x1000 });
    noteTraps(guest);
    change(guest);
    const { what, regs } = guest.run(`${code}\npushfq\nand qword ptr [rsp], ~0x100\npopfq`);
    return {
      what,
      regs,
      guest,
      traps: trapsOf(guest),
      at: (name: string) => Number(guest.symbol(name)) - At.code,
    };
  };
  const setTf = "pushfq\nor qword ptr [rsp], 0x100\npopfq\nbegin:";

  test(`${engine}: TF traps behind each instruction, the first one behind POPFQ (SDM Vol. 3B, "Single-Step Exception Condition")`, (t) => {
    const { what, traps, guest, at } = traced(`${setTf} nop\na: inc rbx\nb: jmp c\nnop\nc: nop\nd:`);
    t.is(what, "done");
    // Behind PUSHFQ, AND and POPFQ of the end, too: that POPFQ still began with TF.
    t.deepEqual(traps, [at("a"), at("b"), at("c"), at("d"), at("d") + 1, at("d") + 9, at("d") + 10]);
    t.is(guest.word(At.free + 0x800) & 0x4000n, 0x4000n);
  });

  test(`${engine}: TF traps behind each iteration of REP, at the instruction while some are left (SDM Vol. 3B, "Single-Step Exception Condition")`, (t) => {
    const { traps, at } = traced(`mov edi, 0x20000\nmov ecx, 3\n${setTf} rep stosb\na:`);
    t.deepEqual(traps.slice(0, 3), [at("begin"), at("begin"), at("a")]);
  });

  test(`${engine}: TF does not trap behind MOV SS, nor behind INT n, which clears it (SDM Vol. 3A, "Masking Exceptions and Interrupts When Switching Stacks")`, (t) => {
    const { traps, at } = traced(`mov eax, 0x18\n${setTf} mov ss, eax\nnop\na: nop\nb:`);
    t.deepEqual(traps.slice(0, 2), [at("a"), at("b")]);
    const interrupt = traced(`${setTf} int 0x40\na: nop\nb:`, (guest) =>
      guest.text("nop\niretq", handler(0x40)),
    );
    // IRETQ itself begins without TF, so that the first trap is behind the instruction that it returns to.
    t.deepEqual(interrupt.traps.slice(0, 1), [interrupt.at("b")]);
  });

  test(`${engine}: SYSCALL with TF in SFMASK does not trap, without it behind the handler's first instruction (SDM Vol. 2B, "SYSCALL")`, (t) => {
    for (const [mask, expected] of [
      [0x100n, "#BP"],
      [0n, "#DB"],
    ] as const) {
      const { cpu, guest } = make({ level: 3 });
      cpu.setMsrs([
        { index: 0xc0000081, data: 0x0023001000000000n },
        { index: 0xc0000082, data: BigInt(At.kernelStack) },
        { index: 0xc0000084, data: mask },
      ]);
      guest.text("nop\nnop\nint3", At.kernelStack);
      guest.code("pushfq\nor qword ptr [rsp], 0x100\npopfq\nsyscall");
      const { what, frame } = guest.run();
      t.deepEqual([what, frame!.rip], [expected, BigInt(At.kernelStack + (mask ? 3 : 1))]);
    }
  });

  test(`${engine}: RF is cleared by the instruction that IRETQ returns to, also behind a REP (SDM Vol. 3B, "Instruction-Breakpoint Exception Condition")`, (t) => {
    const { cpu, guest } = make();
    guest.code(
      `mov edi, ${At.data}\nmov ecx, 3\nrep stosb\npush 0x18\npush ${At.stack}\npush 0x10002\npush 0x10\npush offset at\niretq\nat: nop`,
    );
    guest.box.setSregs(guest.sregs);
    guest.box.setRegs(guest.regs);
    t.is(cpu.run({ budget: 11 }).reason, "KVM_EXIT_INTR");
    t.deepEqual([cpu.getRegs().rip, cpu.getRegs().rflags], [guest.symbol("at"), 0x10002n]);
    t.is(cpu.run({ budget: 1 }).reason, "KVM_EXIT_INTR");
    t.is(cpu.getRegs().rflags, 2n);
  });

  test(`${engine}: an instruction breakpoint is a fault that RF holds back, a data breakpoint a trap (SDM Vol. 3B, "Debug Exception (#DB)")`, (t) => {
    const execute = make();
    execute.guest.code("nop\nat: inc ebx\nnop");
    execute.cpu.setDebugregs({
      db: [execute.guest.symbol("at"), 0n, 0n, 0n],
      dr6: 0xffff0ff0n,
      dr7: 0x402n,
      flags: 0n,
    });
    execute.guest.text("iretq", handler(1) + 1);
    const { what, frame, regs } = execute.guest.run();
    t.deepEqual([what, frame!.rip, regs.rbx], ["#DB", execute.guest.symbol("at"), 0n]);
    t.is(frame!.rflags & 0x10000n, 0x10000n);
    t.is(execute.cpu.getDebugregs().dr6 & 0xfn, 1n);
    t.deepEqual([execute.guest.resume().what, execute.cpu.getRegs().rbx], ["done", 1n]);
    for (const [code, dr7, hits] of [
      ["mov [0x20004], eax", 0xd0008n, true],
      ["mov eax, [0x20004]", 0xd0008n, false],
      ["mov eax, [0x20004]", 0xf0008n, true],
      ["mov al, [0x20003]", 0xf0008n, false],
      ["mov rax, [0x20001]", 0xf0008n, true],
      ["mov [0x20008], eax", 0xf0008n, false],
    ] as const) {
      // Breakpoint 1, of 4 bytes: enable bit 3 (G1), R/W and LEN at bits 23:20.
      const { cpu, guest } = make();
      cpu.setDebugregs({
        db: [0n, 0x20004n, 0n, 0n],
        dr6: 0xffff0ff0n,
        dr7: 0x400n | 8n | ((dr7 >> 16n) << 20n),
        flags: 0n,
      });
      guest.code(`${code}\nat: nop`);
      const outcome = guest.run();
      t.is(outcome.what, hits ? "#DB" : "done", code);
      if (hits) t.is(outcome.frame!.rip, guest.symbol("at"));
    }
  });
}
