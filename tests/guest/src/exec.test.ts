/** From the program as the host planned it to its first instruction. */
import { writeElf } from "@kvmkit/elf";
import {
  Assembler,
  eax,
  ecx,
  edi,
  link,
  mem,
  r8,
  r9,
  r10,
  r12,
  r13,
  r14,
  r15,
  rax,
  rbp,
  rbx,
  rdi,
  rdx,
  rsi,
  rsp,
} from "@kvmkit/x86-asm";
import { guestTest, reportsOf, runGuest } from "./run-guest.js";

guestTest(
  "a program starts with clean registers, an aligned stack, argc above it, and the flags of a process",
  async (t, machine) => {
    const reports = await reportsOf(
      t,
      machine,
      (p) => {
        p.a.pushfq();
        for (const register of [rax, rbx, rdx, rsi, rdi, rbp, r8, r9, r10, r12, r13, r14, r15])
          p.a.push(register);
        for (let i = 0; i < 13; i++) {
          p.a.pop(rbx);
          p.report(rbx);
        }
        p.a.pop(rbx);
        p.report(rbx);
        p.a.mov(rbx, mem.qword(rsp));
        p.report(rbx);
        p.a.mov(rax, rsp);
        p.a.and(rax, 15);
        p.report();
        // FCW in the low word, MXCSR above: as the psABI has them at process start.
        p.a.sub(rsp, 16);
        p.a.fnstcw(mem.word(rsp));
        p.a.stmxcsr(mem.dword(rsp, 8));
        p.a.movzx(eax, mem.word(rsp));
        p.report();
        p.a.mov(eax, mem.dword(rsp, 8));
        p.report();
      },
      { args: ["a", "b", "c"] },
    );
    t.deepEqual(
      reports.slice(0, 13),
      Array.from({ length: 13 }, () => 0n),
    );
    t.is(reports[13]! & ~0x40n, 0x202n);
    t.deepEqual(reports.slice(14), [3n, 0n, 0x37fn, 0x1f80n]);
  },
);

guestTest("a program of 200 segments is mapped whole", async (t, machine) => {
  const count = 200;
  const base = 0x1000_0000;
  const a = new Assembler({ bits: 64 });
  // edi = the sum of the first bytes.
  a.xor(edi, edi).mov(rbx, base).mov(ecx, count);
  a.label("sum").movzx(eax, mem.byte(rbx)).add(edi, eax).add(rbx, 0x2000).dec(ecx).jnz("sum");
  a.mov(eax, 231).syscall();
  const text = link(a.assemble(), { origins: { ".text": 0x40_0000 } }).sections[0]!;
  const bytes = Array.from({ length: count }, (_, i) => (i * 7) & 0xff);
  const elf = writeElf({
    kind: "executable",
    entry: 0x40_0000,
    segments: [
      { vaddr: 0x40_0000, bytes: text.bytes, flags: 5 },
      ...bytes.map((byte, i) => ({
        vaddr: base + i * 0x2000,
        bytes: Uint8Array.of(byte),
        flags: 4 + (i % 2) * 2,
      })),
    ],
  });
  const { result } = await runGuest(machine, elf);
  t.like(result, { kind: "exited", status: bytes.reduce((sum, byte) => sum + byte) & 0xff });
});

guestTest(
  "a CR4 bit that the hypervisor refuses costs the features that go with it, not the boot",
  async (t, machine) => {
    // mov r12d, 0x6e0: the bits of every processor, to which a reserved one is added.
    const code = Buffer.from([0x41, 0xbc, 0xe0, 0x06, 0x00, 0x00]);
    const { result } = await runGuest(machine, (p) => p.call("getpid").exit(3), {
      patchText(text) {
        const at = Buffer.from(text.buffer).indexOf(code);
        t.true(at > 0);
        text[at + 5] = 0x40;
      },
    });
    t.like(result, { kind: "exited", status: 3 });
  },
);
