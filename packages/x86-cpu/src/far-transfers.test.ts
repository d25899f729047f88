import test from "ava";
import { ENGINES, SoftBox } from "./scripts/guest/box.js";
import { At, Guest, type GuestOptions, Page, Sel, USED } from "./scripts/guest/guest.js";

const { W, U } = Page;
const CONFORMING64 = 0x00af9f000000ffffn;
const ABSENT64 = 0x00af1b000000ffffn;

for (const engine of ENGINES) {
  const make = (options: GuestOptions = {}) => new Guest(new SoftBox(engine), options);
  const run = (code: string, change: (guest: Guest) => void = () => {}, options: GuestOptions = {}) => {
    const guest = make(options);
    change(guest);
    return { guest, ...guest.run(code) };
  };
  /** A far pointer in memory, and what a far jump through it does. */
  const jump = (selector: number, offset: bigint, change: (guest: Guest) => void = () => {}, size = 8) =>
    run(
      `.byte ${size === 8 ? "0x48, " : size === 2 ? "0x66, " : ""}0xff, 0x2c, 0x25, 0, 0, 2, 0`,
      (guest) => {
        guest.box.ram[At.free] = 0xf4;
        guest.write(At.data, offset).write(At.data + size, BigInt(selector));
        change(guest);
      },
    );

  test(`${engine}: long mode: a far jump takes m16:16, m16:32 and m16:64 (SDM Vol. 2A, "JMP")`, (t) => {
    for (const size of [4, 8]) {
      const { what, regs, sregs } = jump(Sel.code64, BigInt(At.free), () => {}, size);
      t.deepEqual([what, regs.rip, sregs.cs.selector], ["KVM_EXIT_HLT", BigInt(At.free + 1), Sel.code64]);
    }
    const narrow = jump(Sel.code64, 0x9000n, ({ box }) => void (box.ram[0x9000] = 0xf4), 2);
    t.is(narrow.regs.rip, 0x9001n);
  });

  test(`${engine}: long mode: a far jump to 32-bit code enters compatibility mode, and back (SDM Vol. 3A, "Compatibility Mode")`, (t) => {
    const { what, regs, sregs } = jump(Sel.code32, BigInt(At.free), (guest) => {
      guest.text(`mov eax, -1\ninc eax\ndec eax\njmp ${Sel.code64}:0x41000`, At.free, 32);
      guest.text("mov rbx, -1\nhlt", 0x41000);
    });
    t.deepEqual(
      [what, regs.rip, sregs.cs.l, regs.rax, regs.rbx],
      ["KVM_EXIT_HLT", 0x41008n, 1, 0xffffffffn, 2n ** 64n - 1n],
    );
  });

  test(`${engine}: long mode: selectors that cannot be jumped to (SDM Vol. 2A, "JMP", "Protected Mode Exceptions")`, (t) => {
    t.is(jump(0, 0n).what, "#GP(0x0)");
    t.is(jump(Sel.data, 0n).what, "#GP(0x18)");
    t.is(jump(0x1000, 0n).what, "#GP(0x1000)");
    t.is(jump(Sel.userCode64, 0n).what, "#GP(0x30)");
    t.is(jump(Sel.code64 + 3, 0n).what, "#GP(0x10)");
    t.is(jump(Sel.tss, 0n).what, "#GP(0x40)");
    t.is(jump(Sel.free, 0n, (guest) => guest.descriptor(Sel.free, ABSENT64)).what, "#NP(0x60)");
    t.is(jump(Sel.free, 0n, (guest) => guest.descriptor(Sel.free, 0x00ef9b000000ffffn)).what, "#GP(0x60)");
    t.is(jump(Sel.code64, 0x800000000000n).what, "#GP(0x0)");
    // Beyond the limit of 32-bit code.
    t.is(
      jump(Sel.free, 0x2000n, (guest) => guest.descriptor(Sel.free, 0x00409b0000001fffn)).what,
      "#GP(0x0)",
    );
    const conforming = jump(Sel.free + 3, BigInt(At.free), (guest) =>
      guest.descriptor(Sel.free, CONFORMING64),
    );
    t.deepEqual([conforming.what, conforming.sregs.cs.selector], ["KVM_EXIT_HLT", Sel.free]);
  });

  const callThroughData = ".byte 0x48, 0xff, 0x1c, 0x25, 0, 0, 2, 0\nback: nop";

  test(`${engine}: long mode: a call gate goes from level 3 to 0 on RSP0, RETFQ comes back (SDM Vol. 3A, "Call Gates" in IA-32e mode)`, (t) => {
    const { what, guest, regs, sregs, frame } = run(
      callThroughData,
      (g) => {
        g.write(At.data + 8, BigInt(Sel.free + 3));
        g.callGate(Sel.free, Sel.code64, At.free, 0xec);
        g.text(
          "mov rax, rsp\nmov rbx, [rsp]\nmov rcx, [rsp + 8]\nmov rdx, [rsp + 16]\nmov rsi, [rsp + 24]\nmov edi, ss\nretfq",
          At.free,
        );
      },
      { level: 3 },
    );
    t.is(what, "done");
    t.deepEqual(
      [regs.rax, regs.rbx, regs.rcx, regs.rdx, regs.rsi, regs.rdi],
      [BigInt(At.kernelStack - 32), guest.symbol("back"), 0x33n, 0x30000n, 0x2bn, 0n],
    );
    t.deepEqual([frame!.cs, frame!.ss, frame!.rsp], [0x33n, 0x2bn, 0x30000n]);
    t.deepEqual([sregs.ds.selector, sregs.ds.unusable], [0x2b, 0]);
  });

  test(`${engine}: long mode: call gates check privilege, presence, type and target (SDM Vol. 2A, "CALL")`, (t) => {
    const gate = (access: number, target: number, change: (guest: Guest) => void = () => {}) =>
      run(
        callThroughData,
        (g) => {
          g.write(At.data + 8, BigInt(Sel.free + 3));
          g.callGate(Sel.free, target, At.free, access);
          g.gate(12, { ist: 1 });
          change(g);
        },
        { level: 3 },
      ).what;
    t.is(gate(0x8c, Sel.code64), "#GP(0x60)");
    t.is(gate(0x6c, Sel.code64), "#NP(0x60)");
    t.is(gate(0xe4, Sel.code64), "#GP(0x60)");
    t.is(gate(0xec, 0), "#GP(0x0)");
    t.is(gate(0xec, Sel.data), "#GP(0x18)");
    t.is(gate(0xec, Sel.code32), "#GP(0x8)");
    t.is(
      gate(0xec, 0x70, (g) => g.descriptor(0x70, ABSENT64)),
      "#NP(0x70)",
    );
    t.is(
      gate(0xec, Sel.code64, (g) => g.descriptor(Sel.free + 8, 0x1f0000000000n)),
      "#GP(0x60)",
    );
    t.is(
      gate(0xec, Sel.code64, (g) => g.write(At.tss + 4, 0x800000000000n)),
      "#SS(0x0)",
    );
    t.is(
      gate(0xec, Sel.code64, (g) => void (g.sregs.tr.limit = 10)),
      "KVM_EXIT_SHUTDOWN",
    );
  });

  test(`${engine}: long mode: IRETQ to level 3 drops the segments that level 3 may not use (SDM Vol. 2A, "IRET/IRETD")`, (t) => {
    const { what, frame, sregs, regs } = run(
      `push ${Sel.userData}\npush 0x2ff00\npush 0x10ed7\npush ${Sel.userCode64}\npush ${At.free}\niretq`,
      (guest) => {
        guest.page(At.free, USED | W | U);
        guest.text("mov eax, ds\nmov ebx, es\nint3", At.free);
        Object.assign(guest.sregs.es, { selector: Sel.userData, dpl: 3 });
      },
    );
    t.deepEqual([what, frame!.cs, frame!.ss, frame!.rsp], ["#BP", 0x33n, 0x2bn, 0x2ff00n]);
    t.deepEqual([regs.rax, regs.rbx, sregs.ds.unusable], [0n, 0x2bn, 1]);
    // RF is gone behind the first instruction.
    t.is(frame!.rflags, 0xed7n);
  });

  test(`${engine}: long mode: IRETQ to the same level always pops SS and RSP (SDM Vol. 2A, "IRET/IRETD")`, (t) => {
    const { what, regs, sregs } = run(
      `push 0\npush 0x2ff00\npush 2\npush ${Sel.code64}\npush ${At.free}\niretq`,
      ({ box }) => {
        box.ram[At.free] = 0xf4;
      },
    );
    t.deepEqual(
      [what, regs.rip, regs.rsp, sregs.ss.unusable],
      ["KVM_EXIT_HLT", BigInt(At.free + 1), 0x2ff00n, 1],
    );
    const bad = run(`push ${Sel.userData}\npush 0x2ff00\npush 2\npush ${Sel.code64}\npush ${At.free}\niretq`);
    t.is(bad.what, "#GP(0x28)");
    t.is(run(`push 0\npush 0\npush 2\npush ${Sel.userCode64}\npush ${At.free}\niretq`).what, "#GP(0x0)");
    t.is(
      run(`push 0\npush 0\npush 2\npush ${Sel.code64}\nmov rax, 0x800000000000\npush rax\niretq`).what,
      "#GP(0x0)",
    );
    t.is(run("pushfq\nor dword ptr [rsp], 0x4000\npopfq\niretq").what, "#GP(0x0)");
  });

  // --- protected mode ---

  const run32 = (code: string, change: (guest: Guest) => void = () => {}, level: 0 | 3 = 0) =>
    run(code, change, { mode: "protected", level });

  test(`${engine}: protected mode: far jump, call and return at one level (SDM Vol. 2A, "CALL")`, (t) => {
    const { what, regs, guest } = run32(
      `mov ebx, esp\ncall ${Sel.code32}:${At.free}\nback: mov ecx, esp\njmp ${Sel.code32}:end\nud2\nend:`,
      (g) => g.text("mov eax, [esp]\nmov edx, [esp + 4]\nretf", At.free),
    );
    t.deepEqual([what, regs.rax, regs.rdx], ["done", guest.symbol("back"), BigInt(Sel.code32)]);
    t.is(regs.rcx, regs.rbx);
    t.is(run32(`jmp ${Sel.data}:0`).what, "#GP(0x18)");
    t.is(run32("jmp 0:0").what, "#GP(0x0)");
    t.is(
      run32(`jmp ${Sel.free}:0x2000`, (g) => g.descriptor(Sel.free, 0x00409b0000001fffn)).what,
      "#GP(0x0)",
    );
    // Far to a TSS or a task gate: no task switch.
    t.is(
      run32(`jmp ${Sel.ldt}:0`, (g) => g.systemDescriptor(Sel.ldt, At.tss, 0x67, 0x89)).what,
      "KVM_EXIT_INTERNAL_ERROR",
    );
  });

  test(`${engine}: protected mode: a call gate copies parameters to the inner stack, RETF releases them on both (SDM Vol. 3A, "Stack Switching")`, (t) => {
    const { what, regs, frame } = run32(
      `push 0x11\npush 0x22\ncall ${Sel.free + 3}:0`,
      (g) => {
        g.callGate(Sel.free, Sel.code32, At.free, 0xec, 2);
        g.text(
          "mov eax, [esp + 8]\nmov ebx, [esp + 12]\nmov ecx, [esp + 16]\nmov edx, [esp + 20]\nmov esi, esp\nretf 8",
          At.free,
        );
      },
      3,
    );
    t.is(what, "done");
    t.deepEqual(
      [regs.rax, regs.rbx, regs.rcx, regs.rdx, regs.rsi],
      [0x22n, 0x11n, 0x2fff8n, 0x2bn, BigInt(At.kernelStack - 24)],
    );
    t.deepEqual([frame!.rsp, frame!.cs], [0x30000n, 0x23n]);
  });

  test(`${engine}: protected mode: IRETD to level 3, and IF by IOPL there (SDM Vol. 2A, "IRET/IRETD")`, (t) => {
    const { what, frame } = run32(
      `push ${Sel.userData}\npush 0x2ff00\npush 0x3202\npush ${Sel.userCode32}\npush ${At.free}\niretd`,
      (g) => g.text("cli\npushfd\npop eax\nsti\nint3", At.free),
    );
    t.deepEqual([what, frame!.cs, frame!.rsp, frame!.rflags], ["#BP", 0x23n, 0x2ff00n, 0x3202n]);
    const same = run32(
      `push 0x2\npush ${Sel.code32}\npush ${At.free}\niretd`,
      ({ box }) => void (box.ram[At.free] = 0xf4),
    );
    t.deepEqual([same.what, same.regs.rsp], ["KVM_EXIT_HLT", 0x30000n]);
  });

  test(`${engine}: protected mode: LDS and LES load a pointer, POP to segments checks (SDM Vol. 2A, "LDS/LES/LFS/LGS/LSS")`, (t) => {
    const { what, regs, sregs } = run32(
      `mov dword ptr [0x20000], 0x11223344\nmov word ptr [0x20004], ${Sel.free}\nles ebx, [0x20000]\nmov ax, es
       push ${Sel.free}\npop ds\nmov ecx, [0x1000]`,
      (g) => g.descriptor(Sel.free, 0x00cf93020000ffffn).write(At.data + 0x1000, 77n),
    );
    t.deepEqual([what, regs.rbx, regs.rax, regs.rcx], ["done", 0x11223344n, BigInt(Sel.free), 77n]);
    t.is(sregs.ds.base, 0x20000n);
    t.is(run32("xor eax, eax\nmov ss, eax").what, "#GP(0x0)");
  });
}
