import test from "ava";
import { CpuError } from "./errors.js";
import type { CpuExit } from "./exits.js";
import { ENGINES, SoftBox } from "./scripts/guest/box.js";
import { At, Guest, type GuestOptions, Page, USED } from "./scripts/guest/guest.js";

type Io = Extract<CpuExit, { reason: "KVM_EXIT_IO" }>;
type Mmio = Extract<CpuExit, { reason: "KVM_EXIT_MMIO" }>;
const { W, U } = Page;
/** A guest-physical address that no region covers. */
const DEVICE = 0x10000000;
const WINDOW = 0x50000;

for (const engine of ENGINES) {
  const make = (options: GuestOptions = {}) => {
    const box = new SoftBox(engine);
    const guest = new Guest(box, options);
    guest.page(WINDOW, USED | W | U, DEVICE);
    return { box, cpu: box.cpu, guest };
  };
  type Made = ReturnType<typeof make>;
  const io = ({ box }: Made): Io => box.exit as Io;
  const mmio = ({ box }: Made): Mmio => box.exit as Mmio;
  const little = (data: Uint8Array) => data.reduceRight((value, byte) => value * 256n + BigInt(byte), 0n);

  test(`${engine}: OUT leaves behind the instruction, in all widths (KVM api.rst, KVM_EXIT_IO)`, (t) => {
    for (const [code, port, size, value] of [
      ["out 0x10, al", 0x10, 1, 0x44n],
      ["out 0xff, ax", 0xff, 2, 0x3344n],
      ["out dx, eax", 0x3f8, 4, 0x11223344n],
    ] as const) {
      const made = make();
      Object.assign(made.guest.regs, { rax: 0xffffffff11223344n, rdx: 0xabcd03f8n });
      made.guest.code(`${code}\nat: nop`);
      t.is(made.guest.run().what, "KVM_EXIT_IO");
      const { direction, count, data } = io(made);
      t.deepEqual([direction, io(made).port, io(made).size, count, little(data)], [1, port, size, 1, value]);
      t.is(made.cpu.getRegs().rip, made.guest.symbol("at"));
      t.is(made.guest.resume().what, "done");
    }
  });

  test(`${engine}: IN takes what the VMM puts into the exit's data (KVM api.rst, KVM_EXIT_IO)`, (t) => {
    for (const [code, size, rax] of [
      ["in al, 0x60", 1, 0xffffffff112233a1n],
      ["in ax, dx", 2, 0xffffffff1122b2a1n],
      ["in eax, dx", 4, 0xd4c3b2a1n],
    ] as const) {
      const made = make();
      Object.assign(made.guest.regs, { rax: 0xffffffff11223344n, rdx: 0x60n });
      t.is(made.guest.run(code).what, "KVM_EXIT_IO");
      t.deepEqual([io(made).direction, io(made).port, io(made).size, io(made).count], [0, 0x60, size, 1]);
      io(made).data.set([0xa1, 0xb2, 0xc3, 0xd4].slice(0, size));
      const { what, regs } = made.guest.resume();
      t.deepEqual([what, regs.rax], ["done", rax]);
    }
  });

  test(`${engine}: REP OUTS sends what is left of a page in one exit (KVM api.rst, KVM_EXIT_IO)`, (t) => {
    const made = make();
    for (let n = 0; n < 24; n++) made.box.ram[0x20ff0 + n] = n;
    Object.assign(made.guest.regs, { rsi: 0x20ff0n, rcx: 6n, rdx: 0x10n });
    t.is(made.guest.run("rep outsd").what, "KVM_EXIT_IO");
    t.deepEqual(
      [io(made).size, io(made).count, [...io(made).data]],
      [4, 4, Array.from({ length: 16 }, (_, n) => n)],
    );
    t.deepEqual([made.cpu.getRegs().rcx, made.cpu.getRegs().rsi], [2n, 0x21000n]);
    t.is(made.guest.resume().what, "KVM_EXIT_IO");
    t.deepEqual([io(made).count, [...io(made).data]], [2, [16, 17, 18, 19, 20, 21, 22, 23]]);
    const { what, regs } = made.guest.resume();
    t.deepEqual([what, regs.rcx, regs.rsi], ["done", 0n, 0x21008n]);
  });

  test(`${engine}: REP INS stores what the VMM gives, downwards item by item (KVM api.rst, KVM_EXIT_IO)`, (t) => {
    const made = make();
    Object.assign(made.guest.regs, { rdi: 0x20000n, rcx: 3n, rdx: 0x10n });
    t.is(made.guest.run("rep insw").what, "KVM_EXIT_IO");
    t.deepEqual([io(made).direction, io(made).size, io(made).count], [0, 2, 3]);
    io(made).data.set([1, 2, 3, 4, 5, 6]);
    t.is(made.guest.resume().what, "done");
    t.is(made.guest.word(0x20000), 0x060504030201n);
    const down = make();
    Object.assign(down.guest.regs, { rdi: 0x20004n, rcx: 2n, rdx: 0x10n });
    t.is(down.guest.run("std\nrep insb").what, "KVM_EXIT_IO");
    t.is(io(down).count, 1);
    io(down).data[0] = 0xaa;
    t.is(down.guest.resume().what, "KVM_EXIT_IO");
    io(down).data[0] = 0xbb;
    const { what, regs } = down.guest.resume();
    t.deepEqual([what, regs.rcx, regs.rdi], ["done", 0n, 0x20002n]);
    t.is(down.guest.word(0x20000), 0xaabb000000n);
  });

  test(`${engine}: REP INS and OUTS go up to the limit of the segment, and fault there (SDM Vol. 2A, "INS")`, (t) => {
    for (const [code, fault] of [
      ["rep insb", "#GP(0x0)"],
      ["rep outsb", "#GP(0x0)"],
    ] as const) {
      const made = make({ mode: "protected" });
      made.guest.sregs.ds.limit = made.guest.sregs.es.limit = 0x20003;
      Object.assign(made.guest.regs, { rdi: 0x20000n, rsi: 0x20000n, rcx: 6n, rdx: 0x10n });
      t.is(made.guest.run(code).what, "KVM_EXIT_IO");
      t.deepEqual([io(made).count, made.guest.resume().what, made.cpu.getRegs().rcx], [4, fault, 2n]);
    }
  });

  test(`${engine}: INS to a page that cannot be written faults before it reads the port (SDM Vol. 2A, "INS")`, (t) => {
    const made = make();
    Object.assign(made.guest.regs, { rdi: 0x20000n, rcx: 3n, rdx: 0x10n });
    made.guest.page(0x20000, USED);
    t.is(made.guest.run("rep insb").what, "#PF(0x3) 0x20000");
  });

  test(`${engine}: REP with a count of zero makes no exit (SDM Vol. 2B, "REP")`, (t) => {
    const made = make();
    Object.assign(made.guest.regs, { rdi: 0x20000n, rsi: 0x20000n, rcx: 0n, rdx: 0x10n });
    t.is(made.guest.run("rep insb\nrep outsd\nrep movsb").what, "done");
  });

  test(`${engine}: ports of level 3 need IOPL or the bitmap of the TSS (SDM Vol. 1, "I/O Permission Bit Map")`, (t) => {
    const run = (code: string, change: (guest: Guest) => void) => {
      const { guest } = make({ level: 3 });
      change(guest);
      return guest.run(code).what;
    };
    const bitmap =
      (limit: number, ...bytes: number[]) =>
      (guest: Guest) => {
        guest.sregs.tr.limit = limit;
        guest.box.ram.set(bytes, At.tss + 0x68);
      };
    t.is(run("out 0x10, al", bitmap(0x67)), "#GP(0x0)");
    t.is(run("out 0x10, al", bitmap(0x6b, 0xff, 0xff, 0xfe, 0xff)), "KVM_EXIT_IO");
    t.is(run("out 0x11, al", bitmap(0x6b, 0xff, 0xff, 0xfe, 0xff)), "#GP(0x0)");
    t.is(run("out 0x0f, ax", bitmap(0x6b, 0xff, 0x7f, 0xfe, 0xff)), "KVM_EXIT_IO");
    t.is(run("out 0x0f, eax", bitmap(0x6b, 0xff, 0x7f, 0xfe, 0xff)), "#GP(0x0)");
    // The byte behind is read too, and has to lie inside the limit.
    t.is(run("out 0x10, al", bitmap(0x6a, 0xff, 0xff, 0xfe)), "#GP(0x0)");
    t.is(
      run("out 0x10, al", ({ regs }) => void (regs.rflags |= 0x3000n)),
      "KVM_EXIT_IO",
    );
    t.is(
      run("out 0x10, al", ({ regs }) => void (regs.rflags |= 0x2000n)),
      "#GP(0x0)",
    );
  });

  test(`${engine}: loads and stores outside memory leave as MMIO, and go on with the answer (KVM api.rst, KVM_EXIT_MMIO)`, (t) => {
    const made = make();
    t.is(made.guest.run("mov rax, [0x50010]\nmov [0x50008], ax").what, "KVM_EXIT_MMIO");
    t.deepEqual([mmio(made).phys_addr, mmio(made).len, mmio(made).is_write], [DEVICE + 0x10, 8, 0]);
    mmio(made).data.set([0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]);
    t.is(made.guest.resume().what, "KVM_EXIT_MMIO");
    t.deepEqual([mmio(made).phys_addr, mmio(made).len, mmio(made).is_write], [DEVICE + 8, 2, 1]);
    t.deepEqual([...mmio(made).data], [0x88, 0x77]);
    const { what, regs } = made.guest.resume();
    t.deepEqual([what, regs.rax], ["done", 0x1122334455667788n]);
  });

  test(`${engine}: read-modify-write, 16 bytes, and PUSH of a device make their accesses in order (KVM api.rst, KVM_EXIT_MMIO)`, (t) => {
    const run = (code: string) => {
      const made = make();
      const accesses: string[] = [];
      let outcome = made.guest.run(code);
      while (outcome.what === "KVM_EXIT_MMIO") {
        const { phys_addr, len, is_write, data } = mmio(made);
        if (!is_write) data.fill(0x10);
        accesses.push(`${is_write ? "w" : "r"}${len}@${phys_addr - DEVICE}=${little(data).toString(16)}`);
        outcome = made.guest.resume();
      }
      return [outcome.what, ...accesses];
    };
    t.deepEqual(run("mov ecx, 5\nadd [0x50000], ecx"), ["done", "r4@0=10101010", "w4@0=10101015"]);
    t.deepEqual(run("movups xmm0, [0x50000]"), ["done", "r8@0=1010101010101010", "r8@8=1010101010101010"]);
    t.deepEqual(run("push qword ptr [0x50000]\npop rax"), ["done", "r8@0=1010101010101010"]);
    t.deepEqual(run("mov esi, 0x50000\nmov edi, 0x50100\nmov ecx, 2\nrep movsb"), [
      "done",
      ...["r1@0=10", "w1@256=10", "r1@1=10", "w1@257=10"],
    ]);
    // From memory into the device, across the page end.
    t.deepEqual(run("mov eax, 0x44332211\nmov [0x4fffe], eax"), ["done", "w2@0=4433"]);
  });

  test(`${engine}: a store that is half memory, half device writes memory only once the device has its part`, (t) => {
    const made = make();
    t.is(made.guest.run("mov eax, 0x44332211\nmov [0x4fffe], eax").what, "KVM_EXIT_MMIO");
    t.is(made.guest.view.getUint16(0x4fffe, true), 0);
    t.is(made.guest.resume().what, "done");
    t.is(made.guest.view.getUint16(0x4fffe, true), 0x2211);
  });

  test(`${engine}: setRegs with another RIP gives up the instruction that waits for an answer`, (t) => {
    const made = make();
    t.is(made.guest.run("in al, 0x10").what, "KVM_EXIT_IO");
    made.guest.text("hlt", At.free);
    made.cpu.setRegs({ ...made.cpu.getRegs(), rip: BigInt(At.free), rax: 7n });
    t.is(made.guest.resume().what, "KVM_EXIT_HLT");
    t.deepEqual([made.cpu.getRegs().rax, made.cpu.getRegs().rip], [7n, BigInt(At.free + 1)]);
  });

  test(`${engine}: code outside memory, task gates and 32-bit paging are KVM_EXIT_INTERNAL_ERROR with RIP there (KVM api.rst, KVM_EXIT_INTERNAL_ERROR)`, (t) => {
    const fetch = make();
    t.is(fetch.guest.run("mov eax, 0x50000\njmp rax").what, "KVM_EXIT_INTERNAL_ERROR");
    t.is(fetch.cpu.getRegs().rip, BigInt(WINDOW));
    const paging = make({ mode: "protected" });
    paging.guest.code("mov eax, cr0\nor eax, 0x80000000\nat: mov cr0, eax");
    t.is(paging.guest.run().what, "KVM_EXIT_INTERNAL_ERROR");
    t.is(paging.cpu.getRegs().rip, paging.guest.symbol("at"));
    t.deepEqual(
      [...(paging.box.exit as { insn_bytes: Uint8Array }).insn_bytes.slice(0, 3)],
      [0x0f, 0x22, 0xc0],
    );
    const task = make({ mode: "protected" });
    task.guest.gate(6, { type: 0x85 });
    t.is(task.guest.run("ud2").what, "KVM_EXIT_INTERNAL_ERROR");
    t.is(task.cpu.getRegs().rip, BigInt(At.code));
    const event = make({ mode: "protected" });
    event.guest.gate(2, { type: 0x85 }).gate(0x21, { type: 0x85 });
    event.guest.regs.rflags |= 0x200n;
    event.cpu.interrupt(0x21);
    t.is(event.guest.run("nop").what, "KVM_EXIT_INTERNAL_ERROR");
    t.is(event.cpu.getVcpuEvents().interrupt.injected, 1);
    event.cpu.nmi();
    t.is(event.guest.resume().what, "KVM_EXIT_INTERNAL_ERROR");
    t.is(event.cpu.getVcpuEvents().nmi.pending, 1);
  });

  test(`${engine}: an exception whose gate, TSS or stack is a device is KVM_EXIT_INTERNAL_ERROR, with the guest as before (KVM api.rst, KVM_EXIT_INTERNAL_ERROR)`, (t) => {
    for (const page of [At.idt, At.gdt, At.tss, 0xa000]) {
      const { guest, cpu } = make({ level: 3 });
      guest.page(page, USED | W, DEVICE);
      t.is(guest.run("hlt").what, "KVM_EXIT_INTERNAL_ERROR");
      const { cs, ss } = cpu.getSregs();
      t.deepEqual(
        [cpu.getRegs().rip, cpu.getRegs().rsp, cs.selector, ss.selector],
        [0x10000n, 0x30000n, 0x33, 0x2b],
      );
      cpu.nmi();
      t.is(guest.resume().what, "KVM_EXIT_INTERNAL_ERROR");
    }
  });

  test(`${engine}: INT n through a stack that is a device makes its accesses, and enters the handler once (KVM api.rst, KVM_EXIT_MMIO)`, (t) => {
    const made = make({ level: 3 });
    made.guest.page(0xa000, USED | W, DEVICE);
    made.guest.gate(0x40, { type: 0xee });
    let outcome = made.guest.run("int 0x40");
    const written: string[] = [];
    while (outcome.what === "KVM_EXIT_MMIO") {
      const { cs, ss } = made.cpu.getSregs();
      t.deepEqual([cs.selector, ss.selector, made.cpu.getRegs().rsp], [0x33, 0x2b, 0x30000n]);
      written.push(little(mmio(made).data).toString(16));
      outcome = made.guest.resume();
    }
    t.deepEqual(written, ["2b", "30000", "2", "33", "10002"]);
    t.is(made.cpu.getRegs().rip, BigInt(At.handlers + 0x401));
  });

  test(`${engine}: the budget ends with KVM_EXIT_INTR behind exactly that many instructions, the stop flag soon`, (t) => {
    const made = make();
    made.guest.code("again: inc rax\njmp again");
    made.box.setSregs(made.guest.sregs);
    made.box.setRegs(made.guest.regs);
    t.deepEqual(made.cpu.run({ budget: 1001 }), { reason: "KVM_EXIT_INTR", cause: "budget" });
    t.deepEqual([made.cpu.getRegs().rax, made.cpu.instructions], [501n, 1001]);
    const stop = new Int32Array(1);
    stop[0] = 1;
    t.deepEqual(made.cpu.run({ stop }), { reason: "KVM_EXIT_INTR", cause: "stop" });
    for (const budget of [0, -1, 1.5, Number.NaN, 2 ** 53]) {
      const error = t.throws(() => made.cpu.run({ budget }), { instanceOf: CpuError });
      t.is((error as CpuError).code, "ERR_CPU_BUDGET");
    }
  });
}
