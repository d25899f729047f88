import test from "ava";
import { CR0, CR4, EFER } from "./architecture.js";
import { Msr } from "./msrs.js";
import { ENGINES, SoftBox } from "./scripts/guest/box.js";
import { At, Guest, type GuestOptions, Sel, USED } from "./scripts/guest/guest.js";

const FLAT_DATA = 0x00cf93000000ffffn;

for (const engine of ENGINES) {
  const make = (options: GuestOptions = {}) => new Guest(new SoftBox(engine), options);
  const run = (code: string, change: (guest: Guest) => void = () => {}, options: GuestOptions = {}) => {
    const guest = make(options);
    change(guest);
    return { guest, ...guest.run(code) };
  };

  // --- control registers ---

  test(`${engine}: control registers refuse what the manual forbids (SDM Vol. 2B, "MOV—Move to/from Control Registers")`, (t) => {
    const set = (register: string, value: bigint) => run(`mov rax, ${value}\nmov ${register}, rax`).what;
    t.is(set("cr0", 0x80050033n), "done");
    t.is(set("cr0", 0x180050033n), "#GP(0x0)");
    t.is(set("cr0", 0x80050032n), "#GP(0x0)");
    t.is(set("cr0", 0xa0050033n), "#GP(0x0)");
    t.is(set("cr0", 0x00050033n), "#GP(0x0)");
    t.is(set("cr4", 0x620n), "done");
    t.is(set("cr4", 0x600n), "#GP(0x0)");
    t.is(set("cr4", 0x2620n), "#GP(0x0)");
    t.is(set("cr4", 0x100000620n), "#GP(0x0)");
    t.is(set("cr3", 0x8000000000001000n), "#GP(0x0)");
    t.is(set("cr3", 0x1000n), "done");
    t.is(set("cr8", 15n), "done");
    t.is(set("cr8", 16n), "#GP(0x0)");
    t.is(set("cr2", 0x1234567890abcdefn), "done");
    for (const code of ["mov rax, cr1", "mov rax, cr5", "mov cr7, rax", "mov cr15, rax"]) {
      const register = Number(/cr(\d+)/.exec(code)![1]);
      const opcode = code.startsWith("mov rax") ? 0x20 : 0x22;
      const rex = register > 7 ? "0x44, " : "";
      t.is(run(`.byte ${rex}0x0f, ${opcode}, ${0xc0 | ((register & 7) << 3)}`).what, "#UD", code);
    }
  });

  test(`${engine}: MOV from CR0 to CR8 reads 64 bits; SMSW, LMSW and CLTS (SDM Vol. 2A, "LMSW")`, (t) => {
    const { regs } = run(
      "mov rax, cr0\nmov rbx, cr3\nmov rcx, cr4\nmov rdx, cr8\nsmsw rsi\nmov edi, -1\nsmsw di",
    );
    t.deepEqual([regs.rax, regs.rbx, regs.rcx, regs.rdx], [0x80050033n, 0x1000n, 0x620n, 0n]);
    t.deepEqual([regs.rsi, regs.rdi], [0x80050033n, 0xffff0033n]);
    const after = run("mov eax, 8\nlmsw ax\nmov rax, cr0\nclts\nmov rbx, cr0").regs;
    // MP and EM are cleared, TS is set, PE cannot be cleared.
    t.deepEqual([after.rax, after.rbx], [0x80050039n, 0x80050031n]);
  });

  test(`${engine}: CR0.TS and EM keep FPU and SSE: #NM and #UD; CR4.OSFXSR (SDM Vol. 3A, "Emulation and TS flags")`, (t) => {
    const withCr0 = (bits: number) => (guest: Guest) => void (guest.sregs.cr0 |= BigInt(bits));
    t.is(run("fld1", withCr0(CR0.TS)).what, "#NM");
    t.is(run("fld1", withCr0(CR0.EM)).what, "#NM");
    t.is(run("fwait", withCr0(CR0.TS | CR0.MP)).what, "#NM");
    t.is(run("emms", withCr0(CR0.EM)).what, "#UD");
    t.is(run("pxor mm0, mm0", withCr0(CR0.TS)).what, "#NM");
    t.is(run("xorps xmm0, xmm0", withCr0(CR0.EM)).what, "#UD");
    t.is(run("movaps xmm0, xmm1", withCr0(CR0.TS)).what, "#NM");
    t.is(run("fxsave [0x20000]", withCr0(CR0.TS)).what, "#NM");
    t.is(run("fxrstor [0x20008]").what, "#GP(0x0)");
    t.is(run("ldmxcsr [0x20000]", withCr0(CR0.TS)).what, "#NM");
    t.is(run("prefetcht0 [0x20000]\nsfence\nmovnti [0x20000], eax", withCr0(CR0.TS | CR0.EM)).what, "done");
  });

  test(`${engine}: debug registers: DR4 and DR5 are DR6 and DR7 unless CR4.DE, GD traps (SDM Vol. 3B, "Debug Registers")`, (t) => {
    const { regs } = run(
      "mov rax, 0xffff0ff1\nmov dr6, rax\nmov rbx, dr4\nmov eax, 0x155\nmov dr7, rax\nmov rcx, dr5",
    );
    t.deepEqual([regs.rbx, regs.rcx], [0xffff0ff1n, 0x555n]);
    t.is(run("mov rax, dr4", ({ sregs }) => void (sregs.cr4 |= BigInt(CR4.DE))).what, "#UD");
    t.is(run("mov rax, 0x100000000\nmov dr7, rax").what, "#GP(0x0)");
    const { what, guest } = run("mov eax, 0x2400\nmov dr7, rax\nat: mov rbx, dr0");
    t.is(what, "#DB");
    const { dr6, dr7 } = (guest.box as SoftBox).cpu.getDebugregs();
    t.deepEqual([dr6 & 0x2000n, dr7 & 0x2000n], [0x2000n, 0n]);
  });

  // --- descriptor tables ---

  test(`${engine}: LGDT, LIDT, SGDT and SIDT move limit and base; a base that is not canonical is #GP(0) (SDM Vol. 2A, "LGDT/LIDT")`, (t) => {
    const { guest, sregs } = run(
      `mov rax, 0xffff812345678765\nshl rax, 16\nmov word ptr [0x20000], 0x1ff\nmov dword ptr [0x20002], 0x5000\nmov dword ptr [0x20006], 0
       lgdt [0x20000]\nsgdt [0x20010]\nmov word ptr [0x20020], 0xfff\nmov rax, 0xffff800000006000\nmov [0x20022], rax\nlidt [0x20020]\nsidt [0x20030]`,
    );
    t.deepEqual(
      [sregs.gdt, sregs.idt],
      [
        { base: 0x5000n, limit: 0x1ff },
        { base: 0xffff800000006000n, limit: 0xfff },
      ],
    );
    t.deepEqual([guest.word(0x20010), guest.word(0x20030)], [0x500001ffn, 0x8000000060000fffn]);
    t.is(run("mov rax, 0x800000000000\nmov [0x20002], rax\nlgdt [0x20000]").what, "#GP(0x0)");
    t.is(run("mov rax, 0x800000000000\nmov [0x20002], rax\nlidt [0x20000]").what, "#GP(0x0)");
  });

  test(`${engine}: LLDT and LTR check type, place and presence, and LTR marks busy (SDM Vol. 2A, "LLDT", "LTR")`, (t) => {
    const ldt = (access: number) => (guest: Guest) => guest.systemDescriptor(Sel.ldt, At.ldt, 0x17, access);
    const loaded = run(
      `mov eax, ${Sel.ldt}\nlldt ax\nsldt ebx\nmov eax, 0xc\nmov ds, eax\nmov ecx, ds`,
      (guest) => {
        ldt(0x82)(guest);
        guest.write(At.ldt + 8, FLAT_DATA);
      },
    );
    t.deepEqual([loaded.what, loaded.regs.rbx, loaded.regs.rcx], ["done", BigInt(Sel.ldt), 0xcn]);
    t.deepEqual([loaded.sregs.ldt.base, loaded.sregs.ldt.limit], [BigInt(At.ldt), 0x17]);
    t.is(run(`mov eax, ${Sel.ldt}\nlldt ax`, ldt(0x89)).what, "#GP(0x50)");
    t.is(run(`mov eax, ${Sel.ldt}\nlldt ax`, ldt(0x02)).what, "#NP(0x50)");
    t.is(run("mov eax, 0x54\nlldt ax", ldt(0x82)).what, "#GP(0x54)");
    t.is(run("xor eax, eax\nlldt ax\nmov eax, 0xc\nmov ds, eax").what, "#GP(0xc)");
    t.is(
      run(`mov eax, ${Sel.ldt}\nlldt ax`, (guest) =>
        ldt(0x82)(guest).write(At.gdt + Sel.ldt + 8, 0x1f0000000000n),
      ).what,
      "#GP(0x50)",
    );
    const tss = (access: number) => (guest: Guest) => guest.systemDescriptor(Sel.ldt, At.tss, 0x67, access);
    const tr = run(`mov eax, ${Sel.ldt}\nltr ax\nstr rbx`, tss(0x89));
    t.deepEqual(
      [tr.what, tr.regs.rbx, tr.guest.view.getUint8(At.gdt + Sel.ldt + 5)],
      ["done", BigInt(Sel.ldt), 0x8b],
    );
    t.is(run(`mov eax, ${Sel.ldt}\nltr ax`, tss(0x8b)).what, "#GP(0x50)");
    t.is(run(`mov eax, ${Sel.ldt}\nltr ax`, tss(0x81)).what, "#GP(0x50)");
    t.is(run(`mov eax, ${Sel.ldt}\nltr ax`, tss(0x09)).what, "#NP(0x50)");
    t.is(run("xor eax, eax\nltr ax").what, "#GP(0x0)");
  });

  test(`${engine}: segment loads set the accessed bit; a null SS is allowed in 64-bit code below level 3 (SDM Vol. 2B, "MOV")`, (t) => {
    const { what, guest, sregs } = run(`mov eax, ${Sel.free}\nmov ds, eax`, (g) =>
      g.descriptor(Sel.free, 0x12cf92345678ffffn),
    );
    t.deepEqual([what, guest.word(At.gdt + Sel.free)], ["done", 0x12cf93345678ffffn]);
    t.deepEqual([sregs.ds.base, sregs.ds.limit, sregs.ds.type], [0x12345678n, 0xffffffff, 3]);
    const stack = run("xor eax, eax\nmov ss, eax\npush rax\nmov ebx, ss");
    t.deepEqual([stack.what, stack.sregs.ss.unusable, stack.regs.rbx], ["done", 1, 0n]);
    t.is(run("mov eax, 3\nmov ss, eax").what, "#GP(0x0)");
    t.is(run("mov eax, 0x2b\nmov ss, eax").what, "#GP(0x28)");
    t.is(run("mov eax, 0x28\nmov ss, eax").what, "#GP(0x28)");
  });

  test(`${engine}: LSS, LFS and LGS load offset and selector, or neither (SDM Vol. 2A, "LDS/LES/LFS/LGS/LSS")`, (t) => {
    const pointer = (guest: Guest) =>
      void guest
        .write(At.data, 0x1122334455667788n)
        .write(At.data + 8, 0x18n)
        .descriptor(Sel.free, 0x00cf13000000ffffn);
    for (const [name, segment] of [
      ["lss", "ss"],
      ["lfs", "fs"],
      ["lgs", "gs"],
    ] as const) {
      const { what, regs, sregs } = run(`${name} rbx, [0x20000]`, pointer);
      t.deepEqual([what, regs.rbx, sregs[segment].selector], ["done", 0x1122334455667788n, 0x18]);
      const narrow = run(
        `mov rbx, -1\n${name} ebx, [0x20004]`,
        (guest) => void guest.write(At.data + 4, 0x1811223344n),
      );
      t.deepEqual([narrow.what, narrow.regs.rbx], ["done", 0x11223344n]);
      const failed = run(`mov ebx, 5\n${name} rbx, [0x20000]`, (guest) => {
        pointer(guest);
        guest.write(At.data + 8, BigInt(Sel.free));
      });
      t.deepEqual([failed.what, failed.regs.rbx], [name === "lss" ? "#SS(0x60)" : "#NP(0x60)", 5n]);
    }
  });

  test(`${engine}: LAR, LSL, VERR and VERW look through privilege, and never fault for a selector (SDM Vol. 2A, "LAR")`, (t) => {
    const { regs } = run(
      "mov eax, 0x10\nlar ebx, eax\nsetz cl\nmov eax, 0x18\nlsl edx, eax\nsetz ch\nmov eax, 0x1000\nmov esi, 7\nlar esi, eax\nsetz dil\nverw ax\nsetz r8b\nmov eax, 0x18\nverw ax\nsetz r9b\nmov eax, 0x10\nverw ax\nsetz r10b\nverr ax\nsetz r11b",
    );
    t.deepEqual([regs.rbx, regs.rcx, regs.rdx, regs.rsi], [0xaf9b00n, 0x101n, 0xffffffffn, 7n]);
    t.deepEqual(
      [regs.rdi & 1n, regs.r8 & 1n, regs.r9 & 1n, regs.r10 & 1n, regs.r11 & 1n],
      [0n, 0n, 1n, 0n, 1n],
    );
    const user = run("mov eax, 0x10\nlar ebx, eax\nsetz cl\nmov eax, 0x33\nlar ebx, eax\nsetz ch", () => {}, {
      level: 3,
    });
    t.deepEqual([user.regs.rbx, user.regs.rcx & 0xffffn], [0xaffb00n, 0x100n]);
  });

  // --- fast system calls ---

  const syscallMsrs = ({ box }: Guest) =>
    (box as SoftBox).cpu.setMsrs([
      { index: Msr.IA32_STAR, data: 0x0023001000000000n },
      { index: Msr.IA32_LSTAR, data: BigInt(At.free) },
      { index: Msr.IA32_FMASK, data: 0x47700n },
    ]);

  test(`${engine}: SYSCALL saves RIP and RFLAGS, masks, and loads flat segments; SYSRETQ goes back (SDM Vol. 2B, "SYSCALL", "SYSRET")`, (t) => {
    const guest = make({ level: 3 });
    syscallMsrs(guest);
    guest.text("hlt\nsysretq", At.free);
    guest.regs.rflags = 0x40ed7n;
    guest.code("syscall\nback: nop");
    const entered = guest.run();
    t.deepEqual([entered.what, entered.regs.rip], ["KVM_EXIT_HLT", BigInt(At.free + 1)]);
    t.deepEqual(
      [entered.regs.rcx, entered.regs.r11, entered.regs.rflags],
      [guest.symbol("back"), 0x40ed7n, 0x8d7n],
    );
    t.is(entered.regs.rsp, BigInt(At.stack));
    const { cs, ss } = entered.sregs;
    t.deepEqual([cs.selector, cs.dpl, cs.l, cs.base, cs.type], [0x10, 0, 1, 0n, 11]);
    t.deepEqual([ss.selector, ss.dpl, ss.db, ss.type], [0x18, 0, 1, 3]);
    const { what, frame } = guest.resume();
    t.deepEqual([what, frame!.cs, frame!.ss, frame!.rflags & 0xfffffn], ["done", 0x33n, 0x2bn, 0x40ed7n]);
  });

  test(`${engine}: SYSRET: #GP(0) for RCX that is not canonical at level 0, 32-bit code without REX.W, #UD without SCE (SDM Vol. 2B, "SYSRET")`, (t) => {
    t.is(run("mov rcx, 0x800000000000\nsysretq", syscallMsrs).what, "#GP(0x0)");
    const { what, frame } = run("mov rcx, 0xffffffff00040000\nmov r11d, 0x202\nsysretd", (guest) => {
      syscallMsrs(guest);
      guest.page(At.free, USED | 4);
      guest.box.ram[At.free] = 0xf4;
    });
    t.deepEqual(
      [what, frame!.rip, frame!.cs, frame!.ss, frame!.rflags & 0xffffn],
      ["#GP(0x0)", BigInt(At.free), 0x23n, 0x2bn, 0x202n],
    );
    t.is(run("sysretq", ({ sregs }) => void (sregs.efer &= ~BigInt(EFER.SCE))).what, "#UD");
  });

  test(`${engine}: SYSENTER and SYSEXIT load flat segments from IA32_SYSENTER_CS (SDM Vol. 2B, "SYSENTER")`, (t) => {
    const guest = make({ level: 3 });
    (guest.box as SoftBox).cpu.setMsrs([
      { index: Msr.IA32_SYSENTER_CS, data: 0x10n },
      { index: Msr.IA32_SYSENTER_ESP, data: 0xaf00n },
      { index: Msr.IA32_SYSENTER_EIP, data: BigInt(At.free) },
    ]);
    guest.text("hlt", At.free);
    guest.regs.rflags |= 0x200n;
    const { regs, sregs } = guest.run("sysenter");
    t.deepEqual([regs.rip, regs.rsp, regs.rflags & 0x200n], [BigInt(At.free + 1), 0xaf00n, 0n]);
    t.deepEqual([sregs.cs.selector, sregs.ss.selector], [0x10, 0x18]);
    t.is(run("sysenter").what, "#GP(0x0)");
    t.is(run("sysexit").what, "#GP(0x0)");
  });

  test(`${engine}: SWAPGS swaps the whole base; RDGSBASE and WRFSBASE need CR4.FSGSBASE (SDM Vol. 2B, "SWAPGS")`, (t) => {
    const guest = make();
    const { cpu } = guest.box as SoftBox;
    cpu.setMsrs([{ index: Msr.IA32_KERNEL_GS_BASE, data: 0xffff800012345678n }]);
    guest.sregs.gs.base = 0x20000n;
    guest.write(At.data + 8, 77n);
    const { regs, sregs } = guest.run("mov rax, gs:[8]\nswapgs");
    t.deepEqual(
      [regs.rax, sregs.gs.base, cpu.getMsr(Msr.IA32_KERNEL_GS_BASE)],
      [77n, 0xffff800012345678n, 0x20000n],
    );
    t.is(run("rdgsbase rax").what, "#UD");
    const enabled = ({ sregs: state }: Guest) => void (state.cr4 |= BigInt(CR4.FSGSBASE));
    const written = run("mov rax, 0xffff800000000018\nwrfsbase rax\nrdfsbase rbx\nrdfsbase ecx", enabled, {
      level: 3,
    });
    t.deepEqual([written.what, written.regs.rbx, written.regs.rcx], ["done", 0xffff800000000018n, 0x18n]);
    t.is(run("mov rax, 0x800000000000\nwrgsbase rax", enabled).what, "#GP(0x0)");
  });

  // --- flags and small ones ---

  test(`${engine}: POPFQ changes IF by IOPL and IOPL at level 0 only, never VM and RF (SDM Vol. 2B, "POPF")`, (t) => {
    const popf = (value: bigint, level: 0 | 3, iopl = 0n) =>
      run(
        `mov rax, ${value}\npush rax\npopfq\npushfq\npop rbx`,
        ({ regs }) => void (regs.rflags |= iopl << 12n),
        { level },
      ).regs.rbx;
    t.is(popf(0x3f7ed7n & ~0x100n, 0), 0x244ed7n | (0x3200n & 0x3000n) | 0x200n);
    t.is(popf(0x3200n, 3), 0x2n);
    t.is(popf(0x200n, 3, 3n), 0x3202n);
    t.is(run("pushfw\npopfw\nsti\npushfq\npop rbx").regs.rbx, 0x202n);
    t.is(
      run("mov ax, 0x0ad5\npush ax\nmov edx, 0x240000\npush rdx\npopfq\npopfw\npushfq\npop rbx").regs.rbx,
      0x240ad7n,
    );
  });

  test(`${engine}: CLAC and STAC set AC at level 0 and are #UD above (SDM Vol. 2A, "CLAC")`, (t) => {
    t.is(run("stac\npushfq\npop rax\nclac\npushfq\npop rbx").regs.rax, 0x40002n);
    t.is(run("stac\nclac\npushfq\npop rbx").regs.rbx, 2n);
    t.is(run("stac", () => {}, { level: 3 }).what, "#UD");
  });

  test(`${engine}: ENTER and LEAVE move 64 bits, with an operand-size prefix 16; near RET ignores the prefix (SDM Vol. 2D, "Opcode Map", f64)`, (t) => {
    const enter = run("mov rbp, 0x1122334455667788\nenter 32, 0\nmov rax, [rbp]");
    t.deepEqual([enter.regs.rax, enter.regs.rbp, enter.regs.rsp], [0x1122334455667788n, 0x2fff8n, 0x2ffd8n]);
    const leave = run("mov rbp, 0x2ff00\nmov qword ptr [0x2ff00], 0x55667788\nleave");
    t.deepEqual([leave.regs.rbp, leave.regs.rsp], [0x55667788n, 0x2ff08n]);
    const narrow = run("mov rbp, 0x2ff00\nmov qword ptr [0x2ff00], 0x55667788\n.byte 0x66\nleave");
    t.deepEqual([narrow.regs.rbp, narrow.regs.rsp], [0x27788n, 0x2ff02n]);
    const { what, regs } = run(".byte 0x66, 0x68, 0x00, 0x01\n.byte 0x66, 0xc3", (guest) => {
      guest.page(0, USED);
      guest.box.ram[0x100] = 0xf4;
    });
    t.deepEqual([what, regs.rip, regs.rsp], ["KVM_EXIT_HLT", 0x101n, 0x30006n]);
  });

  test(`${engine}: MOVNTPD, MOVNTPS and MOVNTDQ store 16 aligned bytes (SDM Vol. 2B, "MOVNTPD")`, (t) => {
    for (const name of ["movntpd", "movntps", "movntdq"]) {
      const set = "mov rax, 0x1122334455667788\nmovq xmm3, rax\npunpcklqdq xmm3, xmm3";
      const { what, guest } = run(`${set}\n${name} [0x20010], xmm3`);
      t.deepEqual(
        [what, guest.word(0x20010), guest.word(0x20018)],
        ["done", 0x1122334455667788n, 0x1122334455667788n],
      );
      t.is(run(`${name} [0x20018], xmm3`).what, "#GP(0x0)");
    }
  });

  test(`${engine}: FXSAVE64 and FXRSTOR64 carry x87, MXCSR and XMM; MXCSR_MASK is FFFFH (SDM Vol. 1, "FXSAVE Area")`, (t) => {
    const { what, guest, regs } = run(
      `fninit\nfld1\nfldpi\nmov dword ptr [0x21000], 0x1f83\nldmxcsr [0x21000]\nmov rax, 0x1122334455667788\nmovq xmm15, rax
       fxsave64 [0x20000]\nfninit\nxorps xmm15, xmm15\nmov dword ptr [0x21000], 0x1f80\nldmxcsr [0x21000]
       fxrstor64 [0x20000]\nfnstsw ax\nstmxcsr [0x21000]\nmovq rbx, xmm15\nfistp qword ptr [0x21008]`,
    );
    t.is(what, "done");
    // FCW 37F, TOP 6, two registers in use.
    t.is(guest.word(0x20000) & 0xff_ffff_ffffn, 0xc0_3000_037fn);
    t.deepEqual([guest.view.getUint32(0x20018, true), guest.view.getUint32(0x2001c, true)], [0x1f83, 0xffff]);
    t.deepEqual([guest.word(0x20020), guest.view.getUint16(0x20028, true)], [0xc90fdaa22168c235n, 0x4000]);
    t.deepEqual([guest.word(0x20030), guest.view.getUint16(0x20038, true)], [0x8000000000000000n, 0x3fff]);
    t.is(guest.word(0x20000 + 0xa0 + 15 * 16), 0x1122334455667788n);
    t.deepEqual(
      [regs.rax & 0xffffn, regs.rbx, guest.view.getUint32(0x21000, true), guest.word(0x21008)],
      [0x3000n, 0x1122334455667788n, 0x1f83, 3n],
    );
    t.is(run("mov dword ptr [0x20018], 0x10000\nfxrstor [0x20000]").what, "#GP(0x0)");
  });
}
