import { createHash } from "node:crypto";
import test from "ava";
import { Cpu, type EngineName } from "./cpu.js";
import { CpuError } from "./errors.js";
import type { CpuExit } from "./exits.js";
import { makeBatch } from "./scripts/differential/batch.js";
import { choicesFor, DEFAULT_MIX } from "./scripts/differential/generate.js";
import { MEMORY, progress, START_FLAGS, startState } from "./scripts/differential/image.js";
import { BOX_MEMORY, ENGINES, SoftBox } from "./scripts/guest/box.js";
import { At, Guest, NX, Page, USED } from "./scripts/guest/guest.js";
import type { CpuSnapshot } from "./snapshot.js";

/** Everything that a processor and its memory are. */
function stateOf(cpu: Cpu) {
  return {
    regs: cpu.getRegs(),
    sregs: cpu.getSregs(),
    fpu: cpu.getFpu(),
    events: cpu.getVcpuEvents(),
    debugregs: cpu.getDebugregs(),
    tsc: cpu.getMsr(0x10),
    instructions: cpu.instructions,
    memory: createHash("sha256").update(cpu.memory.ram).digest("hex"),
  };
}

/**
 * A program with something of everything: loops, calls, string instructions, faults that its handlers mend, code that
 * changes itself, SSE and x87, single steps, devices, and the time-stamp counter.
 */
const PROGRAM = `
  rdtsc
  mov r15, rax
  mov ecx, 300
outer:
  push rcx
  lea edi, [rcx * 8 + ${At.data}]
  mov rax, 0x0102030405060708
  mul rcx
  stosq
  mov esi, ${At.data}
  mov edi, ${At.data + 0x3000}
  mov ecx, 40
  rep movsb
  mov ecx, 9
  rep stosq
  cvtsi2sd xmm0, rcx
  sqrtsd xmm1, xmm0
  addpd xmm2, xmm1
  fild qword ptr [${At.data}]
  fsqrt
  fstp qword ptr [${At.data + 0x100}]
  inc byte ptr [rip + patched + 1]
patched: mov bl, 0
  add r14, rbx
  in al, 0x40
  add r13b, al
  mov eax, [${At.free + 0x5000}]
  ud2
  mov [${At.free + 0x6000}], rcx
  test byte ptr [rsp], 15
  jnz plain
  pushfq
  or qword ptr [rsp], 0x100
  popfq
  xor edx, edx
  pushfq
  and qword ptr [rsp], ~0x100
  popfq
plain:
  rdtsc
  add r15, rax
  pop rcx
  dec ecx
  jnz outer
  hlt`;

function prepare(cpu: Cpu, box: SoftBox): void {
  const guest = new Guest(box);
  guest.page(At.free + 0x6000, USED | Page.W, 0x10000000);
  guest.page(At.data + 0x3000, Page.P | Page.W, At.data + 0x3000, NX);
  // #PF maps the page by itself, for the next one unmaps it again; #UD goes on behind the instruction.
  guest.text(
    `push rax\nmov rax, ${At.free | USED}\nxor [${guest.pte(At.free + 0x5000)}], rax\ninvlpg [${At.free + 0x5000}]\npop rax\nadd rsp, 8\niretq`,
    At.handlers + 0x800,
  );
  guest.gate(14, { offset: At.handlers + 0x800 }).page(At.free + 0x5000, 0);
  guest.text(
    `add qword ptr [rsp], 2\nmov qword ptr [${guest.pte(At.free + 0x5000)}], 0\ninvlpg [${At.free + 0x5000}]\niretq`,
    At.handlers + 0x860,
  );
  guest.gate(6, { offset: At.handlers + 0x860 });
  guest.text("inc r12\niretq", At.handlers + 0x8c0);
  guest.gate(1, { offset: At.handlers + 0x8c0 });
  guest.gate(0x21, { offset: At.handlers + 0x900 }).text("inc rbp\niretq", At.handlers + 0x900);
  guest.code(PROGRAM);
  cpu.setSregs(guest.sregs);
  cpu.setRegs(guest.regs);
}

/** Answers an exit; whether it was one that ends the program. */
function answer(exit: CpuExit, cpu: Cpu): boolean {
  if (exit.reason === "KVM_EXIT_IO" && exit.direction === 0) exit.data.fill(cpu.instructions & 0xff);
  return exit.reason === "KVM_EXIT_HLT" || exit.reason === "KVM_EXIT_SHUTDOWN";
}

const LIMIT = 1_000_000;

/** Runs the program in slices of `slice` instructions. */
function runInSlices(engine: EngineName, slice: number) {
  const box = new SoftBox(engine);
  const { cpu } = box;
  prepare(cpu, box);
  let exit: CpuExit;
  do {
    const before = cpu.instructions;
    exit = cpu.run({ budget: slice });
    if (exit.reason === "KVM_EXIT_INTR" && cpu.instructions !== before + slice)
      throw new Error(`${cpu.instructions - before} instructions, not ${slice}`);
  } while (!answer(exit, cpu) && cpu.instructions < LIMIT);
  return stateOf(cpu);
}

const whole = runInSlices("typescript", LIMIT);

test("the program of these tests comes to its end, by every way that it has", (t) => {
  const { r12, r13, r14, rbx } = whole.regs;
  t.deepEqual([whole.instructions, r12, r13, r14, rbx], [27574, 72n, 16n, 33630n, 44n]);
});

for (const engine of ENGINES) {
  for (const slice of [1, 7, 1000, LIMIT]) {
    test(`${engine}: slices of ${slice} instructions end exactly there, and lead to the same state and count`, (t) => {
      t.deepEqual(runInSlices(engine, slice), whole);
    });
  }

  test(`${engine}: a store uses the TLB's old entry whether or not the page holds code that was executed`, (t) => {
    for (const execute of ["call rax", "nop\nnop"]) {
      const guest = new Guest(new SoftBox(engine));
      guest.box.ram[At.free] = 0xc3;
      const { what } = guest.run(
        `mov eax, ${At.free}\nmov [rax + 8], rax\n${execute}\nmov [rax + 16], rax
         mov qword ptr [${guest.pte(At.free)}], 0\nmov [rax + 24], rax`,
      );
      t.deepEqual([what, guest.word(At.free + 24)], ["done", BigInt(At.free)]);
    }
  });

  test(`${engine}: random cases give the same memory and count in slices of 1, 7 and 1000`, (t) => {
    const batch = makeBatch(5, 1, DEFAULT_MIX, choicesFor(DEFAULT_MIX));
    const results = [1, 7, 1000, 5_000_000].map((slice) => {
      const cpu = new Cpu({ memory: MEMORY, engine });
      cpu.memory.ram.set(batch.memory);
      const { sregs, rip } = startState();
      cpu.setSregs({ ...cpu.getSregs(), ...sregs });
      cpu.setRegs({ ...cpu.getRegs(), rip, rflags: START_FLAGS });
      while (cpu.run({ budget: slice }).reason !== "KVM_EXIT_IO" || !progress(cpu.memory.ram).done);
      return stateOf(cpu);
    });
    for (const result of results.slice(1)) t.deepEqual(result, results[0]);
  });

  test(`${engine}: a snapshot anywhere goes on in the other engine to the same end`, (t) => {
    const engines = engine === "wasm" ? (["wasm", "typescript"] as const) : (["typescript", "wasm"] as const);
    const box = new SoftBox(engines[0]);
    prepare(box.cpu, box);
    let { cpu } = box;
    for (let n = 1; ; n++) {
      const exit = cpu.run({ budget: 61 });
      if (answer(exit, cpu)) break;
      // Behind exits of every kind, but not behind each of them.
      if (n % 37 !== 0) continue;
      const next = new Cpu({ memory: BOX_MEMORY, engine: engines[n & 1]! });
      next.restore(structuredClone(cpu.snapshot()));
      next.memory.ram.set(cpu.memory.ram);
      cpu = next;
    }
    t.deepEqual(stateOf(cpu), whole);
  });

  test(`${engine}: a snapshot behind an exit keeps the answer, and one before it queued events`, (t) => {
    const box = new SoftBox(engine);
    const guest = new Guest(box);
    guest.page(At.free, USED | Page.W, 0x10000000);
    t.is(guest.run(`mov rax, [${At.free + 0xffc}]`).what, "KVM_EXIT_MMIO");
    const { exit } = box;
    if (exit?.reason === "KVM_EXIT_MMIO") exit.data.fill(0x77);
    const { cpu } = box;
    cpu.interrupt(0x30);
    cpu.nmi();
    cpu.requestInterruptWindow = true;
    const restored = new SoftBox(engine === "wasm" ? "typescript" : "wasm");
    restored.cpu.restore(cpu.snapshot());
    restored.ram.set(box.ram);
    t.deepEqual(restored.cpu.getVcpuEvents(), cpu.getVcpuEvents());
    t.true(restored.cpu.requestInterruptWindow);
    t.is(restored.run(), "KVM_EXIT_HLT");
    // The load is over; its second half came from memory, and the NMI behind it.
    t.is(restored.cpu.getRegs().rax, 0x77777777n);
    t.is(restored.cpu.getRegs().rip, BigInt(At.handlers + 0x21));
  });

  test(`${engine}: restore refuses what is no snapshot of this memory with ERR_CPU_SNAPSHOT, and changes nothing`, (t) => {
    const { cpu } = new SoftBox(engine);
    const good = cpu.snapshot();
    const before = stateOf(cpu);
    const access = {
      kind: "io",
      address: 0,
      size: 4,
      count: 1,
      write: false,
      data: new Uint8Array(3),
    } as const;
    const bad: readonly unknown[] = [
      ...[undefined, null, 7, {}, { ...good, version: 2 }, { ...good, memoryBytes: 4096 }],
      ...[
        { ...good, registers: new Uint8Array(3) },
        { ...good, tlb: [] },
        { ...good, regions: undefined },
      ],
      {
        ...good,
        regions: [{ slot: 0, flags: 0, guest_phys_addr: 0, memory_size: BOX_MEMORY * 2, offset: 0 }],
      },
      { ...good, accesses: [access] },
      { ...good, accesses: [null] },
      { ...good, cpuid: 3 },
    ];
    for (const snapshot of bad) {
      const error = t.throws(() => cpu.restore(snapshot as CpuSnapshot), { instanceOf: CpuError });
      t.is((error as CpuError | undefined)?.code, "ERR_CPU_SNAPSHOT");
    }
    t.deepEqual(stateOf(cpu), before);
  });

  test(`${engine}: the TLB of a made-up snapshot leads nowhere outside guest memory`, (t) => {
    const box = new SoftBox(engine);
    const guest = new Guest(box);
    guest.code(
      `mov eax, [${At.data}]\nmov [${At.data}], eax\nmov [${At.data + 0x7000}], rsp\nmov eax, [rsp + 0x10000]`,
    );
    box.setSregs(guest.sregs);
    box.setRegs(guest.regs);
    const good = box.cpu.snapshot();
    for (let seed = 1; seed < 40; seed++) {
      const tlb = good.tlb.slice();
      for (let at = 0; at < tlb.length; at++) {
        const kind = at % 32;
        const page = (Math.floor(at / 32) % 256) << 12;
        // Tags that hit, and pointers and page numbers that are anything.
        tlb[at] =
          kind < 16
            ? (page >> ((at % 8) * 8)) & (at % 8 < 4 ? 0xff : 0)
            : (Math.imul(at, seed * 77) >> 7) & 0xff;
      }
      box.cpu.restore({ ...good, tlb });
      t.notThrows(() => box.cpu.run({ budget: 50 }));
    }
  });
}
