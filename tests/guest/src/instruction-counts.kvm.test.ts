/** What each way through the kernel costs, in instructions. A bound that is lowered is a better kernel. */
import { mem, r12, rax, rbx } from "@kvmkit/x86-asm";
import { kvmTest } from "@kvmkit-internal/test-support";
import { countInstructions, totalOf } from "./count-instructions.js";
import { anonymous, READ_WRITE } from "./mappings.js";
import { MACHINES } from "./run-guest.js";

const BASE = 0x10_0000_0000n;
const FIXED = 0x10;
const WINDOW = 16n * 0x1000n;

/** What the program does, in order, and how many instructions it may take. */
const STAYS: readonly (readonly [title: string, most: number])[] = [
  ["getpid", 8],
  ["a number without a row", 9],
  ["report, which the host serves", 9],
  ["brk(0)", 35],
  ["mmap at an address", 215],
  ["the first page fault in an area", 120],
  ["a page fault that continues a sequence", 90],
  ["mmap without an address", 200],
  ["munmap of an untouched page", 205],
  ["mprotect that splits an area", 275],
  ["mprotect that joins it again", 275],
  ["munmap of an area with two runs of frames", 265],
  ["uname", 50],
];

/** The way from the first instruction to the program. */
const BOOT_MOST = 530;

// One test: what counts is in the way of every machine of the process.
kvmTest(
  "the way to the program, and each way back into the kernel, takes at most so many instructions",
  async (t) => {
    const boot = await countInstructions(MACHINES[0]!, ["kernel_start"], () => {});
    t.like(boot.run.result, { kind: "exited", status: 0 });
    const bootTotal = totalOf(boot.stays[0]!);
    t.true(bootTotal > 200 && bootTotal <= BOOT_MOST, `boot: ${bootTotal}, ${BOOT_MOST} allowed`);

    const entries = ["page_fault_or_syscall", "syscall_entry", "page_fault"];
    const { run, stays } = await countInstructions(MACHINES[0]!, entries, (p) => {
      p.call("getpid").call(500).report(1).call("brk", 0);
      p.call("mmap", ...anonymous(BASE, 4n * WINDOW, READ_WRITE, FIXED));
      p.load(r12, BASE).a.mov(mem.byte(r12), 1);
      p.load(r12, BASE + WINDOW).a.mov(mem.byte(r12), 1);
      p.call("mmap", ...anonymous(0, 4096)).a.mov(rbx, rax);
      p.call("munmap", rbx, 4096);
      p.call("mprotect", BASE, 4096, 1).call("mprotect", BASE, 4096, READ_WRITE);
      p.call("munmap", BASE, 4n * WINDOW);
      p.call("uname", p.data("buffer", new Uint8Array(400)));
    });
    t.like(run.result, { kind: "exited", status: 0 });
    for (const [i, [title, most]] of STAYS.entries()) {
      const total = totalOf(stays[i]!);
      t.true(total <= most, `${title}: ${total} instructions, ${most} allowed`);
    }
  },
);
