import test from "ava";
import { ENGINES, SoftBox } from "./scripts/guest/box.js";
import { At, Guest, Sel, USED } from "./scripts/guest/guest.js";
import { USER_FAULTS } from "./scripts/guest/user-faults.js";

const hex = (value: bigint | number) => `0x${value.toString(16)}`;

for (const engine of ENGINES) {
  for (const { title, code, what, change } of USER_FAULTS) {
    test(`${engine}: ring 3: ${title}: ${what}, with the whole frame (SDM Vol. 3A, "Exception and Interrupt Reference")`, (t) => {
      const guest = new Guest(new SoftBox(engine), { level: 3 });
      change?.(guest);
      guest.code(code);
      const outcome = guest.run();
      t.is(outcome.what, what);
      if (what === "done") return;
      t.is(outcome.frame!.rip, guest.symbol("at"));
      t.is(outcome.frame!.cs, BigInt(Sel.userCode64));
      t.is(outcome.frame!.ss, BigInt(Sel.userData));
      t.is(outcome.regs.rsp, BigInt(At.kernelStack - (outcome.frame!.error === undefined ? 40 : 48)));
      t.is(outcome.sregs.cs.selector, Sel.code64);
    });
  }

  const ring0 = () => new Guest(new SoftBox(engine));

  test(`${engine}: a fault pushes RF, a trap does not, and the gate clears TF, NT, RF and IF (SDM Vol. 3A, "Flag Usage By Exception- or Interrupt-Handler Procedure")`, (t) => {
    const fault = ring0();
    fault.regs.rflags = 0x4ed7n;
    const { what, frame, regs } = fault.run("ud2");
    t.deepEqual([what, hex(frame!.rflags), hex(regs.rflags)], ["#UD", "0x14ed7", "0xcd7"]);
    const trap = ring0();
    trap.gate(3, { type: 0xef });
    trap.regs.rflags = 0x4ed7n;
    const second = trap.run("int3");
    t.deepEqual(
      [second.what, hex(second.frame!.rflags), hex(second.regs.rflags)],
      ["#BP", "0x4ed7", "0xed7"],
    );
  });

  test(`${engine}: the frame of a fault at the same level lies 16-byte aligned on the same stack (SDM Vol. 3A, "64-Bit Mode Stack Frame")`, (t) => {
    const guest = ring0();
    guest.regs.rsp = 0x2ff55n;
    const { what, frame, regs } = guest.run("ud2");
    t.deepEqual([what, frame!.rsp, frame!.ss, frame!.cs], ["#UD", 0x2ff55n, BigInt(Sel.data), 16n]);
    t.is(regs.rsp, 0x2ff50n - 40n);
  });

  test(`${engine}: an IST stack is used at any level (SDM Vol. 3A, "Interrupt Stack Table")`, (t) => {
    for (const level of [0, 3] as const) {
      const guest = new Guest(new SoftBox(engine), { level });
      guest.gate(6, { ist: 1 });
      const { what, frame, regs, sregs } = guest.run("ud2");
      t.deepEqual([what, regs.rsp, frame!.rsp], ["#UD", BigInt(At.istStack - 40), BigInt(At.stack)]);
      t.is(sregs.ss.selector, level === 3 ? 0 : Sel.data);
    }
  });

  test(`${engine}: a change of level takes RSP0 and a null SS of the new level (SDM Vol. 3A, "Stack Switching in IA-32e Mode")`, (t) => {
    const guest = new Guest(new SoftBox(engine), { level: 3 });
    guest.write(At.tss + 4, 0xaf78n);
    const { regs, sregs } = guest.run("ud2");
    t.is(regs.rsp, 0xaf70n - 40n);
    t.deepEqual([sregs.ss.selector, sregs.ss.unusable, sregs.ss.dpl], [0, 1, 0]);
  });

  test(`${engine}: a fault in the delivery of a benign exception is delivered by itself (SDM Vol. 3A, "Conditions for Generating a Double Fault")`, (t) => {
    const run = (change: (guest: Guest) => void, code = "ud2") => {
      const guest = ring0();
      change(guest);
      return guest.run(code).what;
    };
    t.is(
      run((guest) => guest.gate(6, { type: 0x0e })),
      "#NP(0x33)",
    );
    t.is(
      run((guest) => guest.gate(6, { type: 0x8c })),
      "#GP(0x33)",
    );
    t.is(
      run((guest) => guest.gate(6, { type: 0x85 })),
      "#GP(0x33)",
    );
    t.is(
      run((guest) => guest.gate(6, { selector: Sel.data })),
      "#GP(0x19)",
    );
    t.is(
      run((guest) => guest.gate(6, { selector: Sel.code32 })),
      "#GP(0x9)",
    );
    t.is(
      run((guest) => guest.gate(6, { selector: 0x1000 })),
      "#GP(0x1001)",
    );
    t.is(
      run((guest) => guest.gate(6, { high: 0x8000 })),
      "#GP(0x1)",
    );
    t.is(
      run((guest) => guest.gate(6, { selector: Sel.free }).descriptor(Sel.free, 0x00af1b000000ffffn)),
      "#NP(0x61)",
    );
    t.is(
      run((guest) => guest.gate(0x30, { type: 0x0e }), "int 0x30"),
      "#NP(0x182)",
    );
    t.is(
      run((guest) => guest.gate(0x30, { high: 0x8000 }), "int 0x30"),
      "#GP(0x0)",
    );
    t.is(
      run((guest) => guest.gate(1, { type: 0x0e }), "int1"),
      "#NP(0xb)",
    );
    t.is(
      run((guest) => guest.gate(3, { type: 0x0e }), "int3"),
      "#NP(0x1a)",
    );
    t.is(
      run(({ sregs }) => void (sregs.idt.limit = 0x30 * 16 - 1), "int 0x30"),
      "#GP(0x182)",
    );
    t.is(
      run(({ sregs }) => void (sregs.idt.limit = 0x31 * 16 - 1), "int 0x30"),
      "vector 0x30",
    );
  });

  test(`${engine}: stacks that cannot be pushed to give #SS, #TS or #PF (SDM Vol. 3A, "Interrupt 12: Stack Exception")`, (t) => {
    const run = (change: (guest: Guest) => void) => {
      const guest = new Guest(new SoftBox(engine), { level: 3 });
      for (const vector of [8, 10, 12, 14]) guest.gate(vector, { ist: 1 });
      change(guest);
      return guest.run("ud2").what;
    };
    t.is(
      run((guest) => guest.write(At.tss + 4, 0x800000000000n)),
      "#SS(0x1)",
    );
    t.is(
      run((guest) => guest.page(0xa000, 0)),
      "#PF(0x2) 0xaff8",
    );
    t.is(
      run((guest) => guest.page(0xa000, USED)),
      "#PF(0x3) 0xaff8",
    );
    // Up to the end of IST1, but not of RSP0.
    t.is(
      run((guest) => guest.gate(6, { ist: 2 }).box && void (guest.sregs.tr.limit = 0x32)),
      "#TS(0x41)",
    );
  });

  test(`${engine}: a second contributory fault is a double fault, at the first instruction (SDM Vol. 3A, "Interrupt 8: Double Fault Exception")`, (t) => {
    const run = (code: string, ...vectors: readonly number[]) => {
      const guest = ring0();
      for (const vector of vectors) guest.gate(vector, { type: 0x0e });
      return guest.run(code);
    };
    const general = run("mov rax, 0x800000000000\nmov al, [rax]", 13);
    t.deepEqual([general.what, general.frame!.rip], ["#DF(0x0)", BigInt(At.code + 10)]);
    t.is(run("xor ecx, ecx\ndiv ecx", 0).what, "#DF(0x0)");
    t.is(run("mov eax, [0x200000]", 14).what, "#DF(0x0)");
    t.is(run("mov eax, [0x200000]", 14).sregs.cr2, 0x200000n);
    t.is(run("mov eax, 0x200\nmov ds, eax", 13).what, "#DF(0x0)");
    t.is(run("ud2", 6, 11).what, "#DF(0x0)");
  });

  test(`${engine}: a page fault while a page fault is delivered is a double fault, with the second's CR2 (SDM Vol. 3A, "Conditions for Generating a Double Fault")`, (t) => {
    const guest = ring0();
    guest.gate(14, { ist: 1 }).page(0xc000, 0);
    const { what, sregs } = guest.run("mov eax, [0x200000]");
    t.deepEqual([what, sregs.cr2], ["#DF(0x0)", 0xcff8n]);
  });

  test(`${engine}: a fault while a double fault is delivered ends in KVM_EXIT_SHUTDOWN, for good (SDM Vol. 3A, "Interrupt 8: Double Fault Exception")`, (t) => {
    const guest = ring0();
    for (const vector of [8, 13, 11]) guest.gate(vector, { type: 0x0e });
    t.is(guest.run("mov eax, 0x200\nmov ds, eax").what, "KVM_EXIT_SHUTDOWN");
    t.is(guest.resume().what, "KVM_EXIT_SHUTDOWN");
    t.is(guest.resume().regs.rip, BigInt(At.code + 5));
    const empty = ring0();
    empty.sregs.idt.limit = 0;
    t.is(empty.run("ud2").what, "KVM_EXIT_SHUTDOWN");
  });

  test(`${engine}: an exception in compatibility mode pushes a 64-bit frame (SDM Vol. 3A, "64-Bit Mode Stack Frame")`, (t) => {
    const guest = new Guest(new SoftBox(engine), { level: 3 });
    Object.assign(guest.sregs.cs, { selector: Sel.userCode32, l: 0, db: 1 });
    const { what, frame } = guest.run("nop\nud2");
    t.deepEqual(
      [what, frame!.rip, frame!.cs, frame!.rsp, frame!.ss],
      ["#UD", BigInt(At.code + 1), BigInt(Sel.userCode32), BigInt(At.stack), BigInt(Sel.userData)],
    );
  });

  test(`${engine}: protected mode: 32-bit frames, with the stack of the TSS from level 3 (SDM Vol. 3A, "Exception- or Interrupt-Handler Procedures")`, (t) => {
    const same = new Guest(new SoftBox(engine), { mode: "protected" });
    const first = same.run("nop\nmov eax, 0x1000\nmov ds, eax");
    t.deepEqual([first.what, first.frame!.rip, first.frame!.cs], ["#GP(0x1000)", 0x10006n, 8n]);
    t.is(first.regs.rsp, BigInt(At.stack - 16));
    const outer = new Guest(new SoftBox(engine), { mode: "protected", level: 3 });
    const { what, frame, regs, sregs } = outer.run("hlt");
    t.deepEqual([what, frame!.rip, frame!.cs], ["#GP(0x0)", 0x10000n, 0x23n]);
    t.deepEqual([frame!.rsp, frame!.ss, regs.rsp], [0x30000n, 0x2bn, BigInt(At.kernelStack - 24)]);
    t.deepEqual([sregs.cs.selector, sregs.ss.selector], [8, 0x18]);
  });

  test(`${engine}: protected mode: limits of segments give #GP(0), of the stack #SS(0) (SDM Vol. 3A, "Limit Checking")`, (t) => {
    const run = (code: string) => {
      const guest = new Guest(new SoftBox(engine), { mode: "protected" });
      Object.assign(guest.sregs.ds, { limit: 0x20fff, g: 0 });
      Object.assign(guest.sregs.es, { type: 7, limit: 0x20fff });
      Object.assign(guest.sregs.fs, { type: 1 });
      return guest.run(code).what;
    };
    t.is(run("mov al, [0x20fff]"), "done");
    t.is(run("mov al, [0x21000]"), "#GP(0x0)");
    t.is(run("mov eax, [0x20ffd]"), "#GP(0x0)");
    t.is(run("mov eax, [0xfffffffe]"), "#GP(0x0)");
    t.is(run("mov al, es:[0x21000]"), "done");
    t.is(run("mov al, es:[0x20fff]"), "#GP(0x0)");
    t.is(run("mov fs:[0x20000], al"), "#GP(0x0)");
    t.is(run("mov cs:[0x20000], al"), "#GP(0x0)");
    t.is(run("xor eax, eax\nmov gs, eax\nmov al, gs:[0]"), "#GP(0x0)");
  });
}
