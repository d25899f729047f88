import test from "ava";
import { ENGINES, SoftBox } from "./scripts/guest/box.js";
import { At, Guest } from "./scripts/guest/guest.js";

/** A boot sector's way: real mode, flat protected mode, long mode with a 2 MiB page, and all the way back. */
const ROUND_TRIP = `
bits 16
org 0x7c00
  cli
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov sp, 0x7c00
  mov di, 0x1000
  mov cx, 0x1800
  rep stosw
  mov dword [0x1000], 0x2003
  mov dword [0x2000], 0x3003
  mov dword [0x3000], 0x83
  lgdt [gdtr]
  mov eax, cr0
  or al, 1
  mov cr0, eax
  jmp 8:protected
bits 32
protected:
  mov ax, 0x10
  mov ds, ax
  mov ss, ax
  mov dword [0x5000], 0x32323232
  mov eax, cr4
  or eax, 0x20
  mov cr4, eax
  mov eax, 0x1000
  mov cr3, eax
  mov ecx, 0xc0000080
  rdmsr
  or eax, 0x100
  wrmsr
  mov eax, cr0
  or eax, 0x80000000
  mov cr0, eax
  jmp 0x18:long
bits 64
long:
  mov rax, 0x6464646464646464
  mov [0x5008], rax
  rdmsr
  mov [0x5010], eax
  push 8
  push back
  retfq
bits 32
back:
  mov eax, cr0
  and eax, 0x7fffffff
  mov cr0, eax
  rdmsr
  mov [0x5014], eax
  jmp 0x20:narrow
bits 16
narrow:
  mov ax, 0x28
  mov ds, ax
  mov ss, ax
  mov eax, cr0
  and al, 0xfe
  mov cr0, eax
  jmp 0:real
real:
  xor ax, ax
  mov ds, ax
  mov ss, ax
  mov word [0x5018], 0x1616
  int 0x20
  hlt
align 8
gdt: dq 0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x00af9a000000ffff, 0x00009a000000ffff, 0x000092000000ffff
gdtr: dw gdtr - gdt - 1
  dd gdt
`;

for (const engine of ENGINES) {
  const run = (code: string, change: (guest: Guest) => void = () => {}) => {
    const guest = new Guest(new SoftBox(engine), { mode: "real" });
    change(guest);
    return { guest, ...guest.run(code) };
  };

  test(`${engine}: real mode to protected to long mode and back, as a boot sector goes (SDM Vol. 3A, "Mode Switching")`, (t) => {
    const box = new SoftBox(engine);
    const guest = new Guest(box, { mode: "real" });
    guest.nasm(ROUND_TRIP, 0x7c00);
    guest.text("mov word ptr [0x501a], 0x2020\niret", At.handlers + 0x200);
    Object.assign(guest.sregs.cs, { selector: 0, base: 0n });
    box.setSregs(guest.sregs);
    box.setRegs({ ...guest.regs, rip: 0x7c00n });
    t.is(box.run(), "KVM_EXIT_HLT");
    t.deepEqual([guest.word(0x5000), guest.word(0x5008)], [0x32323232n, 0x6464646464646464n]);
    // LME and LMA while in long mode, LME behind it.
    t.is(guest.word(0x5010), 0x100_0000_0500n);
    t.is(guest.view.getUint32(0x5018, true), 0x20201616);
    const { cr0, efer, cs } = box.getSregs();
    t.deepEqual([cr0 & 0x80000001n, efer, cs.selector, cs.base], [0n, 0x100n, 0, 0n]);
  });

  test(`${engine}: real mode: INT takes CS:IP from the IVT, pushes 16 bits each, clears IF and TF; IRET returns (SDM Vol. 3B, "Interrupt and Exception Handling" in real-address mode)`, (t) => {
    const { what, frame, regs } = run("mov bp, sp\nsti\nint 0x21");
    t.deepEqual([what, frame!.rip, frame!.cs, frame!.rflags], ["vector 0x21", 5n, 0x1000n, 0x202n]);
    t.deepEqual([regs.rsp, regs.rflags], [0x6ffan, 2n]);
    const back = run("sti\nint 0x21\npushf\npop bx", (guest) => guest.text("iret", At.handlers + 0x210));
    t.deepEqual([back.what, back.regs.rbx, back.regs.rsp], ["done", 0x202n, 0x7000n]);
  });

  test(`${engine}: real mode: exceptions push no error code (SDM Vol. 3B, "Interrupt and Exception Handling" in real-address mode)`, (t) => {
    const wrap = run("mov bx, 0xffff\nat: mov ax, [bx]");
    t.deepEqual([wrap.what, wrap.frame!.rip], ["#GP", wrap.guest.symbol("at")]);
    t.is(run("mov bp, 0xffff\nmov ax, [bp]").what, "#SS");
    t.is(run("xor cx, cx\ndiv cx").what, "#DE");
    t.is(run("ud2").what, "#UD");
    t.is(run("lldt ax").what, "#UD");
    t.is(run("sysenter").what, "#GP");
    t.is(run("into").what, "done");
    t.is(run("mov al, 0x7f\ninc al\ninto").what, "#OF");
    t.is(run("mov ebx, 0x10000\nmov al, [ebx]").what, "#GP");
  });

  test(`${engine}: real mode: a vector beyond the IDT's limit is a double, then a triple fault (SDM Vol. 3B, "Real-Address Mode Exceptions and Interrupts")`, (t) => {
    t.is(run("int 0x21", ({ sregs }) => void (sregs.idt.limit = 0x83)).what, "#GP");
    t.is(run("int 0x21", ({ sregs }) => void (sregs.idt.limit = 0x23)).what, "#DF");
    t.is(run("int 0x21", ({ sregs }) => void (sregs.idt.limit = 0)).what, "KVM_EXIT_SHUTDOWN");
  });

  test(`${engine}: real mode: offsets wrap at 64 KiB, addresses go on behind 1 MiB (SDM Vol. 3B, "Address Translation in Real-Address Mode")`, (t) => {
    const { regs } = run(
      "mov ax, 0xffff\nmov ds, ax\nmov word ptr [0x20], 0x1234\nmov bx, 0xfff0\nmov si, 0x30\nmov cx, [bx + si]\nmov dx, [bx + si + 0xfffe]",
      (guest) => guest.write(0x10000e, 0x5678n),
    );
    t.is(regs.rcx & 0xffffn, 0x1234n);
    const { guest } = run("mov ax, 0xffff\nmov ds, ax\nmov word ptr [0x20], 0x1234");
    t.is(guest.view.getUint16(0x100010, true), 0x1234);
  });

  test(`${engine}: real mode: PUSH wraps SP from 0 to FFFEH, and leaves the upper half of ESP alone (SDM Vol. 2B, "PUSH")`, (t) => {
    const { what, guest, regs } = run(
      "mov ax, 0x2000\nmov ss, ax\nmov esp, 0x12340000\nmov ax, 0x5678\npush ax",
    );
    t.deepEqual([what, regs.rsp, guest.view.getUint16(0x2fffe, true)], ["done", 0x1234fffen, 0x5678]);
    t.is(run("mov ax, 0x2000\nmov ss, ax\nmov sp, 1\npush ax").what, "KVM_EXIT_SHUTDOWN");
  });

  test(`${engine}: real mode: prefixes give 32-bit operands and addresses (SDM Vol. 3B, "Real-Address Mode Operation")`, (t) => {
    const { regs } = run(
      "mov eax, 0x12345678\nmov ecx, 4\nlea ebx, [eax + ecx * 4 + 0x10]\nmov edi, 0x5000\nmov [edi], eax\nmov dx, [0x5002]\nmovzx esi, byte ptr [0x5001]",
    );
    t.deepEqual([regs.rbx, regs.rdx & 0xffffn, regs.rsi], [0x12345698n, 0x1234n, 0x56n]);
  });

  test(`${engine}: real mode: far jump, call and return set CS.base to the paragraph; 16- and 32-bit forms (SDM Vol. 2A, "CALL")`, (t) => {
    const { what, regs, sregs, guest } = run("call 0x4000:0x10\nback: mov bx, sp\njmp 0x4100:0", (g) => {
      g.text("mov ax, [esp]\nmov dx, [esp + 2]\nretf", 0x40010);
      g.text("hlt", 0x41000);
    });
    t.deepEqual(
      [what, regs.rax, regs.rdx, regs.rbx & 0xffffn],
      ["KVM_EXIT_HLT", guest.symbol("back"), 0x1000n, 0x7000n],
    );
    t.deepEqual([sregs.cs.selector, sregs.cs.base, regs.rip], [0x4100, 0x41000n, 1n]);
  });

  test(`${engine}: real mode: string instructions use SI, DI and CX and their wrap (SDM Vol. 2B, "MOVS")`, (t) => {
    const { what, regs, guest } = run(
      "mov ax, 0x3000\nmov ds, ax\nmov es, ax\nmov esi, 0xaaaafffe\nmov edi, 0xbbbb1000\nmov ecx, 0xcccc0004\nrep movsb",
      (g) => {
        g.box.ram.set([1, 2], 0x3fffe);
        g.box.ram.set([3, 4], 0x30000);
      },
    );
    t.deepEqual([what, regs.rsi, regs.rdi, regs.rcx], ["done", 0xaaaa0002n, 0xbbbb1004n, 0xcccc0000n]);
    t.is(guest.view.getUint32(0x31000, true), 0x04030201);
  });

  test(`${engine}: real mode: segments keep their limit over the way back from protected mode ("unreal mode", SDM Vol. 3A, "Switching Back to Real-Address Mode")`, (t) => {
    const { what, regs } = run(
      "mov edi, 0x200000\nmov dword ptr [edi], 0x600df00d\nmov eax, [edi]",
      ({ sregs }) => void (sregs.ds.limit = 0xffffffff),
    );
    t.deepEqual([what, regs.rax], ["done", 0x600df00dn]);
  });

  test(`${engine}: after reset, the first instruction is at FFFF:FFF0H below 4 GiB (SDM Vol. 3A, "First Instruction Executed")`, (t) => {
    const { cpu } = new SoftBox(engine);
    cpu.setUserMemoryRegion({ slot: 0, flags: 0, guest_phys_addr: 0, memory_size: 0x10000, offset: 0 });
    cpu.setUserMemoryRegion({
      slot: 1,
      flags: 0,
      guest_phys_addr: 0xffff0000,
      memory_size: 0x10000,
      offset: 0x10000,
    });
    // jmp 0:0x7c00, and HLT there.
    cpu.memory.ram.set([0xea, 0x00, 0x7c, 0x00, 0x00], 0x1fff0);
    cpu.memory.ram[0x7c00] = 0xf4;
    t.deepEqual(
      [cpu.getRegs().rip, cpu.getSregs().cs.base, cpu.getSregs().cs.selector],
      [0xfff0n, 0xffff0000n, 0xf000],
    );
    t.is(cpu.run().reason, "KVM_EXIT_HLT");
    t.deepEqual([cpu.getRegs().rip, cpu.getSregs().cs.base], [0x7c01n, 0n]);
  });
}
