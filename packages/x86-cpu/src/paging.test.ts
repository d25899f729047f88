import test from "ava";
import { ENGINES, SoftBox } from "./scripts/guest/box.js";
import { At, Guest, NX, Page, USED } from "./scripts/guest/guest.js";
import { READ, RIGHTS, WRITE } from "./scripts/guest/page-rights.js";

const { P, W, U, A, D, PS } = Page;
const { data } = At;
const RET = 0xc3;

for (const engine of ENGINES) {
  for (const [title, level, code, flags, high, change, what] of RIGHTS) {
    test(`${engine}: ${title}: ${what} (SDM Vol. 3A, "Access Rights")`, (t) => {
      const guest = new Guest(new SoftBox(engine), { level });
      guest.box.ram[data] = RET;
      guest.page(data, flags, data, high);
      change(guest);
      t.is(guest.run(code).what, what);
    });
  }

  test(`${engine}: rights of the upper levels count at every level (SDM Vol. 3A, "Access Rights")`, (t) => {
    const linear = 2 ** 39 + data;
    const address = `0x${linear.toString(16)}`;
    for (const weak of [0, 1, 2]) {
      for (const [missing, access, error] of [
        [U, "mov eax, [rax]", 5],
        [W, "mov [rax], eax", 7],
        [P, "mov eax, [rax]", 4],
      ] as const) {
        const guest = new Guest(new SoftBox(engine), { level: 3 });
        const entry = (n: number) => BigInt((USED | W | U) & ~(n === weak ? missing : 0));
        guest.write(At.pml4 + 8, 0x41000n | entry(0));
        guest.write(0x41000, 0x42000n | entry(1));
        guest.write(0x42000, BigInt(At.pt) | entry(2));
        t.is(guest.run(`mov rax, ${linear}\n${access}`).what, `#PF(0x${error}) ${address}`);
      }
    }
  });

  test(`${engine}: NX in an upper entry forbids execution below it (SDM Vol. 3A, "Access Rights")`, (t) => {
    for (const level of [0, 1, 2]) {
      const guest = new Guest(new SoftBox(engine));
      const entry = (n: number) => BigInt(USED | W) | (n === level ? NX : 0n);
      guest.box.ram[data] = RET;
      guest.write(At.pml4 + 8, 0x41000n | entry(0));
      guest.write(0x41000, 0x42000n | entry(1));
      guest.write(0x42000, BigInt(At.pt) | entry(2));
      t.is(guest.run(`mov rax, ${2 ** 39 + data}\ncall rax`).what, "#PF(0x11) 0x8000020000");
    }
  });

  test(`${engine}: a read sets A in each entry, a write D in the last (SDM Vol. 3A, "Accessed and Dirty Flags")`, (t) => {
    const guest = new Guest(new SoftBox(engine));
    guest.page(data, P | W);
    t.is(guest.run(READ).what, "done");
    t.is(guest.word(guest.pte(data)), BigInt(data | P | W | A));
    guest.page(data, P | W);
    t.is(guest.run(`${READ}\n${WRITE}`).what, "done");
    t.is(guest.word(guest.pte(data)), BigInt(data | P | W | A | D));
  });

  test(`${engine}: A and D are set in upper entries too, but D only in the last (SDM Vol. 3A, "Accessed and Dirty Flags")`, (t) => {
    const guest = new Guest(new SoftBox(engine));
    guest.write(At.pml4 + 8, 0x41000n | BigInt(P | W));
    guest.write(0x41000, 0x42000n | BigInt(P | W));
    guest.write(0x42000, 0x43000n | BigInt(P | W));
    guest.write(0x43000, BigInt(data | P | W));
    t.is(guest.run(`mov rax, ${2 ** 39}\nmov [rax], eax`).what, "done");
    t.deepEqual(
      [At.pml4 + 8, 0x41000, 0x42000, 0x43000].map((at) => guest.word(at) & 0xfffn),
      [P | W | A, P | W | A, P | W | A, P | W | A | D].map(BigInt),
    );
  });

  test(`${engine}: a faulting access leaves A and D of the last entry as they were (SDM Vol. 3A, "Accessed and Dirty Flags")`, (t) => {
    const guest = new Guest(new SoftBox(engine), { level: 3 });
    guest.page(data, P | U);
    t.is(guest.run(WRITE).what, "#PF(0x7) 0x20008");
    t.is(guest.word(guest.pte(data)), BigInt(data | P | U));
  });

  test(`${engine}: a 2 MiB page maps its bits 20:0, and its bits 20:13 are reserved (SDM Vol. 3A, "4-Level Paging")`, (t) => {
    const guest = new Guest(new SoftBox(engine));
    guest.write(At.pd + 8, BigInt(0x200000 | P | W | PS));
    guest.write(0x323450, 0x1122334455667788n);
    const { what, regs } = guest.run("mov rax, [0x323450]\nmov [0x3fff00], rax");
    t.deepEqual([what, regs.rax], ["done", 0x1122334455667788n]);
    t.is(guest.word(0x3fff00), 0x1122334455667788n);
    t.is(guest.word(At.pd + 8), BigInt(0x200000 | P | W | PS | A | D));
    guest.write(At.pd + 8, BigInt(0x202000 | P | W | PS));
    t.is(guest.run("mov rax, [0x323450]").what, "#PF(0x9) 0x323450");
  });

  test(`${engine}: a 1 GiB page maps its bits 29:0, and its bits 29:13 are reserved (SDM Vol. 3A, "4-Level Paging")`, (t) => {
    const guest = new Guest(new SoftBox(engine));
    guest.write(At.pdpt + 8, BigInt(P | W | PS));
    guest.write(0x323450, 0x1122334455667788n);
    const { what, regs } = guest.run("mov eax, 0x40323450\nmov rax, [rax]\nmov [0x403fff00], rax");
    t.deepEqual([what, regs.rax], ["done", 0x1122334455667788n]);
    t.is(guest.word(0x3fff00), 0x1122334455667788n);
    t.is(guest.word(At.pdpt + 8), BigInt(P | W | PS | A | D));
    guest.write(At.pdpt + 8, BigInt(0x200000 | P | W | PS));
    t.is(guest.run("mov rax, [0x40323450]").what, "#PF(0x9) 0x40323450");
    guest.write(At.pml4 + 8, BigInt(At.pdpt | P | W | PS));
    t.is(guest.run("mov rax, 0x8000000000\nmov rax, [rax]").what, "#PF(0x9) 0x8000000000");
  });

  test(`${engine}: non-canonical data raises #GP(0), through RSP or RBP #SS(0) (SDM Vol. 1, "Canonical Addressing")`, (t) => {
    const run = (code: string, level: 0 | 3 = 0) => new Guest(new SoftBox(engine), { level }).run(code).what;
    t.is(run("mov rax, 0x800000000000\nmov al, [rax]"), "#GP(0x0)");
    t.is(run("mov rax, 0xffff7fffffffffff\nmov [rax], al"), "#GP(0x0)");
    t.is(run("mov rbp, 0x800000000000\nmov al, [rbp]"), "#SS(0x0)");
    t.is(run("mov rsp, 0x800000000000\npop rax", 3), "#SS(0x0)");
    t.is(run("mov rsp, 0x800000000000\npop rax"), "KVM_EXIT_SHUTDOWN");
    t.is(run("mov rax, 0x7fffffffffff\nmov ax, [rax]"), "#GP(0x0)");
    t.is(run("mov rax, 0x800000000000\njmp rax"), "#GP(0x0)");
    t.is(run("mov rax, 0x7ffffffffff8\nmov rax, [rax]"), "#PF(0x0) 0x7ffffffffff8");
    t.is(run("mov rax, 0xffff800000000000\nmov al, [rax]"), "#PF(0x0) 0xffff800000000000");
  });

  test(`${engine}: INVLPG makes a changed entry be seen, of a large page for all of it (SDM Vol. 3A, "Invalidation of TLBs")`, (t) => {
    const guest = new Guest(new SoftBox(engine));
    guest.write(At.free, 0x1111n).write(At.free + 0x1000, 0x2222n);
    const entry = `qword ptr [${guest.pte(data)}]`;
    const small = guest.run(
      `mov rbx, [0x20000]\nmov ${entry}, ${At.free | USED}\ninvlpg [0x20000]\nmov rcx, [0x20000]
       mov ${entry}, ${(At.free + 0x1000) | USED}\nmov rax, cr3\nmov cr3, rax\nmov rdx, [0x20000]`,
    );
    t.deepEqual([small.what, small.regs.rcx, small.regs.rdx], ["done", 0x1111n, 0x2222n]);
    for (const [table, base, size] of [
      [At.pd + 8, 0x200000, 0x200000],
      [At.pdpt + 8, 0x40000000, 0x40000000],
    ] as const) {
      const large = new Guest(new SoftBox(engine));
      large.write(table, BigInt(USED | W | PS));
      const { what } = large.run(
        `mov eax, [${base}]\nmov eax, [${base + 0x5000}]
         mov qword ptr [${table}], 0\ninvlpg [${base + size - 1}]\nmov eax, [${base + 0x5000}]`,
      );
      t.is(what, `#PF(0x0) 0x${(base + 0x5000).toString(16)}`);
    }
  });

  test(`${engine}: entries that lie outside memory are reserved-bit faults, and no exit`, (t) => {
    const guest = new Guest(new SoftBox(engine));
    guest.write(At.pml4 + 8, BigInt(0x10000000 | USED | W));
    t.is(guest.run("mov rax, 0x8000000000\nmov rax, [rax]").what, "#PF(0x9) 0x8000000000");
  });
}
