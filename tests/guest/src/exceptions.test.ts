/** What a program can do wrong, and the signal that it gets for it: as Linux, arch/x86/kernel/traps.c. */
import { al, mem, rax, rbx, rcx, rdx } from "@kvmkit/x86-asm";
import { FAULTS } from "./faults.js";
import { guestTest, runGuest } from "./run-guest.js";

for (const { title, emit, signal, vector, rip, page } of FAULTS) {
  guestTest(title, async (t, machine) => {
    const run = await runGuest(machine, (p) => {
      emit(p);
      p.a.label("after");
    });
    t.like(run.result, { kind: "killed", signalName: signal, vector, reason: "fault" });
    if (run.result.kind !== "killed") return;
    if (rip) t.is(run.result.rip, run.address(rip === "at" ? "here" : "after"));
    t.is(run.result.address, page?.address);
    if (page) t.is(run.result.errorCode, page.errorCode);
  });
}

for (const vector of [0x20, 0x2e, 0x80, 0xff]) {
  guestTest(
    `INT 0x${vector.toString(16)} ends the program with SIGSEGV: there is no such gate`,
    async (t, machine) => {
      const run = await runGuest(machine, ({ a }) => a.label("here").int(vector));
      t.like(run.result, { kind: "killed", signalName: "SIGSEGV", rip: run.address("here") });
    },
  );
}

guestTest("SYSENTER ends the program with SIGILL or SIGSEGV", async (t, machine) => {
  const { result } = await runGuest(machine, ({ a }) => a.sysenter());
  t.is(result.kind, "killed");
  if (result.kind === "killed") t.true(["SIGILL", "SIGSEGV"].includes(result.signalName));
});

guestTest("a write to the program's own text is #PF with P and W, SIGSEGV", async (t, machine) => {
  const run = await runGuest(machine, (p) => {
    p.a.lea(rbx, mem.rip("here"));
    p.a.label("here").mov(mem.byte(rbx), al);
  });
  t.like(run.result, { kind: "killed", vector: 14, errorCode: 7n, address: run.address("here") });
});

guestTest("a jump to the program's data is #PF with P and I, SIGSEGV", async (t, machine) => {
  const run = await runGuest(machine, (p) => {
    p.load(rbx, p.data("code", Uint8Array.of(0x90, 0xc3)));
    p.a.mov(al, mem.byte(rbx));
    p.a.jmp(rbx);
  });
  const code = run.address("code");
  t.like(run.result, { kind: "killed", vector: 14, errorCode: 0x15n, address: code, rip: code });
});

guestTest("the registers of a fault are the program's", async (t, machine) => {
  const { result } = await runGuest(machine, (p) => {
    p.load(rbx, 0x1234_5678_9abc_def0n).load(rcx, 0n).load(rdx, 7n);
    p.a.mov(rax, mem.qword(rcx));
  });
  t.is(result.kind, "killed");
  if (result.kind !== "killed") return;
  t.like(result.registers, { rbx: 0x1234_5678_9abc_def0n, rcx: 0n, rdx: 7n });
});
