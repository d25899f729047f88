/** Stacks that grow, and memory that ends. */
import { MAP, USER_STACK_TOP } from "@kvmkit/guest-kernel/abi";
import { mem, r12, r13, rax, rbx, rsp } from "@kvmkit/x86-asm";
import type { GuestProgram } from "./guest-program.js";
import { anonymous, READ_WRITE } from "./mappings.js";
import { failure, guestTest, LARGE, reportsOf, runGuest } from "./run-guest.js";
import { call, DEBUG, emitScript, load, resultsOf, store } from "./script.js";

const MiB = 2n ** 20n;
const PAGE = 0x1000n;
/** The lowest page of the stack: its limit is 8 MiB (getrlimit(2), RLIMIT_STACK). */
const STACK_LOWEST = USER_STACK_TOP - 8n * MiB;

guestTest("the stack grows to its limit page by page, and keeps what it holds", async (t, machine) => {
  const pages = 2000;
  const reports = await reportsOf(t, machine, (p) => {
    p.a.mov(rbx, rsp);
    p.load(r12, pages);
    p.a.label("down");
    p.a.sub(rsp, 4096);
    p.a.mov(mem.qword(rsp), r12);
    p.a.dec(r12);
    p.a.jnz("down");
    p.load(r13, 0n);
    p.load(r12, pages);
    p.a.label("up");
    p.a.add(r13, mem.qword(rsp));
    p.a.add(rsp, 4096);
    p.a.dec(r12);
    p.a.jnz("up");
    p.report(r13);
    p.a.sub(rsp, rbx);
    p.report(rsp);
    p.a.add(rsp, rbx);
  });
  t.deepEqual(reports, [BigInt((pages * (pages + 1)) / 2), 0n]);
});

guestTest(
  "the stack may be touched anywhere above its limit, without the pages between",
  async (t, machine) => {
    const steps = [store(STACK_LOWEST, 5n), load(STACK_LOWEST), load(STACK_LOWEST + 4n * MiB)];
    const { result, output } = await runGuest(machine, (p) => emitScript(p, steps));
    t.like(result, { kind: "exited", status: 0 });
    t.deepEqual(resultsOf(output), [0n, 5n, 0n]);
  },
);

guestTest(
  "a buffer on the stack below what was touched of it is read and written, by the host and by the kernel",
  async (t, machine) => {
    const reports = await reportsOf(t, machine, (p) => {
      p.a.lea(rbx, mem(rsp, -0x20_0000));
      p.call("read", 0x41, rbx, 0x2_0000).report();
      p.a.mov(rax, mem.qword(rbx, 0x1_fff8));
      p.report();
      p.a.lea(rbx, mem(rsp, -0x30_0000));
      p.call("uname", rbx).report();
      p.a.lea(rbx, mem(rsp, -0x40_0000));
      p.call("write", 1, rbx, 16).report();
      p.load(rbx, STACK_LOWEST - 4096n);
      p.call("read", 0, rbx, 16).report();
      p.call("uname", rbx).report();
    });
    const EFAULT = failure("EFAULT");
    t.deepEqual(reports, [0x2_0000n, 0x4141_4141_4141_4141n, 0n, 16n, EFAULT, EFAULT]);
  },
);

guestTest("a touch below the limit of the stack is SIGSEGV", async (t, machine) => {
  const below = STACK_LOWEST - 8n;
  const { result } = await runGuest(machine, (p) => emitScript(p, [], store(below, 5n)));
  t.like(result, { kind: "killed", signalName: "SIGSEGV", address: below });
});

guestTest("endless recursion ends with SIGSEGV at the limit", async (t, machine) => {
  const { result } = await runGuest(machine, ({ a }) => a.label("recurse").call("recurse"));
  t.like(result, { kind: "killed", signalName: "SIGSEGV", address: STACK_LOWEST - 8n });
});

guestTest(
  "RLIMIT_STACK that was lowered bounds the stack from then on (setrlimit(2))",
  async (t, machine) => {
    const lowest = USER_STACK_TOP - MiB;
    const run = (address: bigint) =>
      runGuest(machine, (p) => {
        const limit = p.data("limit", new Uint8Array(new BigUint64Array([MiB, 8n * MiB]).buffer));
        p.call("prlimit64", 0, 3, limit, 0).report();
        p.load(rbx, address).a.mov(mem.qword(rbx), rax);
      });
    t.like((await run(lowest)).result, { kind: "exited", status: 0 });
    t.like((await run(lowest - PAGE)).result, { kind: "killed", signalName: "SIGSEGV" });
  },
);

guestTest("the stack keeps 1 MiB away from a mapping below (stack_guard_gap)", async (t, machine) => {
  const mapping = USER_STACK_TOP - 4n * MiB;
  const map = call("mmap", ...(anonymous(mapping, PAGE, READ_WRITE, MAP.MAP_FIXED) as unknown as bigint[]));
  const nearest = mapping + PAGE + MiB;
  const near = await runGuest(machine, (p) => emitScript(p, [map, store(nearest, 1n)]));
  t.like(near.result, { kind: "exited", status: 0 });
  const nearer = await runGuest(machine, (p) => emitScript(p, [map], store(nearest - PAGE, 1n)));
  t.like(nearer.result, { kind: "killed", signalName: "SIGSEGV", address: nearest - PAGE });
});

guestTest("MAP_GROWSDOWN memory grows down as the stack does", async (t, machine) => {
  const base = 0x30_0000_0000n;
  const flags = MAP.MAP_FIXED | MAP.MAP_GROWSDOWN;
  const steps = [
    call("mmap", ...(anonymous(base, PAGE, READ_WRITE, flags) as unknown as bigint[])),
    store(base - 5n * PAGE, 3n),
    load(base - 5n * PAGE),
    load(base),
  ];
  const { output } = await runGuest(machine, (p) => emitScript(p, steps));
  t.deepEqual(resultsOf(output), [base, 0n, 3n, 0n]);
});

const SMALL = { memoryBytes: 8 * 2 ** 20 };
const BASE = 0x10_0000_0000n;

/** Maps more than there is, and touches it `step` bytes apart until the end of memory. */
function touchEverything(p: GuestProgram, step: number): void {
  p.call("mmap", ...anonymous(BASE, 1n << 40n, READ_WRITE, MAP.MAP_FIXED | MAP.MAP_NORESERVE));
  p.load(r12, BASE);
  p.a.label("touch");
  p.a.mov(mem.byte(r12), 1);
  p.a.add(r12, step);
  p.a.jmp("touch");
}

for (const [title, step] of [
  ["page after page", 4096],
  ["a page in every 2 MiB, each with a table of its own", 2 ** 21],
] as const) {
  guestTest(
    `a program that touches more memory than there is, ${title}, is killed: out of memory`,
    async (t, machine) => {
      const run = await runGuest(machine, (p) => touchEverything(p, step), SMALL);
      t.like(run.result, { kind: "killed", signalName: "SIGKILL", reason: "out-of-memory" });
      if (run.result.kind === "killed") t.is(run.result.rip, run.address("touch"));
    },
  );
}

guestTest(
  "a call whose buffer needs more memory than there is ends the program: out of memory",
  async (t, machine) => {
    const run = await runGuest(
      machine,
      (p) => {
        p.call("mmap", ...anonymous(BASE, 1n << 30n, READ_WRITE, MAP.MAP_FIXED | MAP.MAP_NORESERVE));
        p.call("read", 0, BASE, 0x2000_0000);
        p.a.label("after");
      },
      SMALL,
    );
    t.like(run.result, { kind: "killed", signalName: "SIGKILL", reason: "out-of-memory" });
    if (run.result.kind === "killed") t.is(run.result.rip, run.address("after"));
  },
);

guestTest(
  "all of memory can be used, given back, and used again, in other pieces, without loss",
  async (t, machine) => {
    const pages = 300n;
    const map = (address: bigint, count: bigint) =>
      call("mmap", ...(anonymous(address, count * PAGE, READ_WRITE, MAP.MAP_FIXED) as unknown as bigint[]));
    const touchAll = (address: bigint, count: bigint, value: bigint) =>
      Array.from({ length: Number(count) }, (_, i) => store(address + BigInt(i) * PAGE, value));
    const round = (value: bigint) => [
      map(BASE, pages),
      ...touchAll(BASE, pages, value),
      // Every other page goes, so that what is free lies in pieces of one page.
      ...Array.from({ length: Number(pages) / 2 }, (_, i) =>
        call("munmap", BASE + BigInt(2 * i) * PAGE, PAGE),
      ),
      map(BASE + MiB * 64n, pages / 2n),
      ...touchAll(BASE + MiB * 64n, pages / 2n, value),
      load(BASE + PAGE),
      call("munmap", BASE, MiB * 128n),
      call(DEBUG.freePages),
    ];
    const rounds = [round(1n), round(2n), round(3n)];
    const { result, output } = await runGuest(machine, (p) => emitScript(p, rounds.flat()), {
      memoryBytes: 10 * 2 ** 20,
    });
    t.like(result, { kind: "exited", status: 0 });
    const results = resultsOf(output);
    const free = rounds.map((_, i) => results[(i + 1) * rounds[0]!.length - 1]!);
    t.is(results[rounds[0]!.length * 2 - 3], 2n);
    // From the second round on only the results' own array takes pages.
    t.true(free[1]! - free[2]! <= 32n, `${free}`);
  },
);

guestTest("a thousand areas: the array grows, finds each, and gives its memory back", async (t, machine) => {
  const count = 1200;
  const at = (i: number) => BASE + BigInt(2 * i) * PAGE;
  const indexes = Array.from({ length: count }, (_, i) => i);
  // In an order that inserts in front, behind and between.
  const shuffled = indexes.map((i) => (i * 457) % count);
  const { result, reports } = await runGuest(
    machine,
    (p) => {
      p.load(r12, 0n).load(r13, count);
      p.a.label("map");
      p.a.imul(rax, r12, 0x2000);
      p.load(rbx, BASE).a.add(rbx, rax);
      p.call("mmap", ...anonymous(rbx, PAGE, READ_WRITE, MAP.MAP_FIXED_NOREPLACE));
      p.a.cmp(rax, rbx);
      p.a.jne("wrong");
      p.a.add(r12, 457);
      p.a.cmp(r12, count);
      p.a.jb("in_range");
      p.a.sub(r12, count);
      p.a.label("in_range");
      p.a.dec(r13);
      p.a.jnz("map");
      for (const i of [0, 1, 599, 1198, 1199]) {
        p.load(rbx, at(i)).a.mov(mem.byte(rbx), 1);
      }
      p.call("munmap", BASE, BigInt(count) * 2n * PAGE).report();
      p.call(
        "mmap",
        ...anonymous(BASE, BigInt(count) * 2n * PAGE, READ_WRITE, MAP.MAP_FIXED_NOREPLACE),
      ).report();
      p.exit(0);
      p.a.label("wrong");
      p.report(rax);
      p.exit(1);
    },
    { memoryBytes: 64 * 2 ** 20 },
  );
  t.is(new Set(shuffled).size, count);
  t.deepEqual(reports, [0n, BASE]);
  t.like(result, { kind: "exited", status: 0 });
});

guestTest(
  "memory above the 4 GiB hole is used when that below it is",
  async (t, machine) => {
    const GiB = 2n ** 30n;
    const flags = MAP.MAP_FIXED | MAP.MAP_NORESERVE;
    const low = call(
      "mmap",
      ...(anonymous(BASE, 3n * GiB, READ_WRITE, flags | MAP.MAP_POPULATE) as unknown as bigint[]),
    );
    const high = call("mmap", ...(anonymous(2n * BASE, GiB, READ_WRITE, flags) as unknown as bigint[]));
    const addresses = Array.from({ length: 100 }, (_, i) => 2n * BASE + BigInt(i) * 37n * PAGE);
    const steps = [
      call(DEBUG.freePages),
      low,
      call(DEBUG.freePages),
      high,
      ...addresses.map((address) => store(address, address)),
      ...addresses.map(load),
      call("munmap", BASE, 16n * GiB),
      call("munmap", 2n * BASE, GiB),
      call(DEBUG.freePages),
    ];
    const { result, output } = await runGuest(machine, (p) => emitScript(p, steps), {
      memoryBytes: 5 * 2 ** 30,
    });
    t.like(result, { kind: "exited", status: 0 });
    const results = resultsOf(output);
    const [before, , during] = results as [bigint, bigint, bigint];
    t.true(before - during >= (3n * GiB) / PAGE, `${before} ${during}`);
    t.true(during < (2n * GiB) / PAGE);
    t.deepEqual(results.slice(104, 204), addresses);
    t.true(before - results[206]! < 64n, `${before} ${results[206]}`);
  },
  LARGE,
);

guestTest("memory in pieces of one page is enough for tables of three levels", async (t, machine) => {
  const map = (address: bigint, count: bigint) =>
    call("mmap", ...(anonymous(address, count * PAGE, READ_WRITE, MAP.MAP_FIXED) as unknown as bigint[]));
  const first = await runGuest(machine, (p) => emitScript(p, [call(DEBUG.freePages)]), SMALL);
  const free = resultsOf(first.output)[0]!;
  // All but some pages, for tables and the script's own data, are in use; then every other one is free.
  const used = free - 80n;
  const pages = Array.from({ length: Number(used) }, (_, i) => BASE + BigInt(i) * PAGE);
  const far = Array.from({ length: 30 }, (_, i) => 2n * BASE + BigInt(i) * (1n << 39n));
  const steps = [
    map(BASE, used),
    ...pages.map((address) => store(address, 1n)),
    ...pages.filter((_, i) => i % 2 === 0).map((address) => call("munmap", address, PAGE)),
    ...far.flatMap((address) => [map(address, 1n), store(address, address), load(address)]),
  ];
  const { result, output } = await runGuest(machine, (p) => emitScript(p, steps), SMALL);
  t.like(result, { kind: "exited", status: 0 });
  const results = resultsOf(output);
  t.deepEqual(
    far.map((_, i) => results[results.length - 1 - 3 * (far.length - 1 - i)]),
    far,
  );
});
