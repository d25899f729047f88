/** What the kernel is made of: which instructions, and how many on the shortest way through it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Assembler } from "@kvmkit/x86-asm";
import { toolTest } from "@kvmkit-internal/test-support";
import test from "ava";
import { buildKernel } from "./index.js";
import { emitKernel } from "./kernel.js";

/**
 * What runs in ring 0 on every host: the instructions that KVM's emulator has been seen to run, of the integer ones
 * that have no SIMD state, and FXRSTOR. Not among them, though processors have them: everything of SSE and x87, POPCNT,
 * LZCNT and TZCNT (which it runs as BSR and BSF), CMPXCHG16B, INVPCID, STAC and CLAC, XSAVE, INT n.
 */
const EMULATED = new Set(
  `mov movabs movzx movsx movsxd xchg bswap lea push pop pushfq popfq lahf sahf
   add adc sub sbb inc dec neg not mul imul div idiv cmp test and or xor
   shl shr sar rol ror shld shrd bt bts btr btc bsf bsr
   movsb movsq stosq std cld stc clc cmc
   jmp call ret jrcxz ja jae jb jbe jc jnc je jne jz jnz jg jge jl jle js jns
   cmova cmovae cmovb cmovbe cmovc cmove cmovne cmovnz cmovz cmovg cmovge cmovl cmovle cmovs cmovns
   seta setc setnz sete setne
   lgdt lidt ltr invlpg rdmsr wrmsr swapgs xsetbv cli hlt cpuid out in
   iretq sysretq retfq fxrstor64 nop`.split(/\s+/),
);

/** Members of the assembler that are no instructions. */
const DIRECTIVES = new Set([
  ...["section", "label", "global", "equ", "align", "zero", "db", "dw", "dd", "dq", "bits", "assemble"],
  ...["lock", "rep", "repe", "repne", "short", "near", "prefix"],
]);

interface Recorded {
  readonly label: string;
  readonly mnemonic: string;
}

/** The kernel's instructions in the order of emission, each with the label that it follows. */
function recordKernel(): Recorded[] {
  const recorded: Recorded[] = [];
  let label = "";
  const recorder: Assembler = new Proxy(new Assembler({ bits: 64 }), {
    get(target, member, receiver) {
      const value: unknown = Reflect.get(target, member, receiver);
      if (typeof value !== "function" || typeof member !== "string") return value;
      return (...args: unknown[]) => {
        if (member === "label") label = args[0] as string;
        else if (!DIRECTIVES.has(member)) recorded.push({ label, mnemonic: member });
        value.apply(target, args);
        return recorder;
      };
    },
  });
  emitKernel(recorder);
  return recorded;
}

const recorded = recordKernel();

test("the kernel is made of instructions that run in ring 0 on every host, and no SSE or x87", (t) => {
  const others = recorded.filter(({ mnemonic }) => !EMULATED.has(mnemonic));
  t.deepEqual(others, []);
  t.true(recorded.length > 1000);
});

test("the kernel's only bytes that are no emitted instructions are the NOPs which become STAC and CLAC", (t) => {
  const { segments, symbols } = buildKernel();
  const at = (name: string) => Number(symbols.find((s) => s.name === name)!.value - segments[0]!.vaddr);
  const text = segments[0]!.bytes;
  const view = new DataView(text.buffer);
  const [start, end] = [at("alternatives"), at("alternatives_end")];
  t.true(end > start && (end - start) % 16 === 0);
  for (let row = start; row < end; row += 16) {
    const site = Number(view.getBigUint64(row, true) - segments[0]!.vaddr);
    t.deepEqual([...text.subarray(site, site + 3)], [0x0f, 0x1f, 0x00]);
    const replacement = [...text.subarray(row + 8, row + 11)];
    t.true([0xcb, 0xca].includes(replacement[2]!), "STAC or CLAC");
    t.deepEqual(replacement.slice(0, 2), [0x0f, 0x01]);
  }
});

toolTest("objdump finds no other instruction in the text", { objdump: "binutils" }, (t) => {
  const directory = mkdtempSync(join(tmpdir(), "kvmkit-kernel-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const { segments, symbols } = buildKernel();
  const functions = symbols.filter(({ type }) => type === "func");
  const last = functions[functions.length - 1]!;
  const end = Number(last.value - segments[0]!.vaddr) + last.sizeBytes;
  const file = join(directory, "text.bin");
  writeFileSync(file, segments[0]!.bytes.subarray(0, end));
  t.is(readFileSync(file).length, end);
  const { stdout } = spawnSync("objdump", [
    ...["-D", "-b", "binary", "-m", "i386:x86-64", "-M", "intel", "--no-show-raw-insn", file],
  ]);
  const lines = stdout.toString().split("\n").flatMap(parseObjdump);
  t.true(lines.length > 1000);
  t.deepEqual(
    lines.filter((mnemonic) => !EMULATED.has(mnemonic)),
    [],
  );
});

/** objdump's spellings of ours. */
const SPELLINGS: Readonly<Record<string, string>> = {
  movs: "movsq",
  stos: "stosq",
  "rex.W": "retfq",
  pushf: "pushfq",
};

function parseObjdump(line: string): string[] {
  const match = /^\s+[0-9a-f]+:\s+(?:(?:rep|[cdeg]s|data16)\s+)*(\S+)/.exec(line);
  return match === null ? [] : [SPELLINGS[match[1]!] ?? match[1]!];
}

/** How many instructions are emitted from a label up to and with the first `last`. */
function pathLength(from: string, last: string): number {
  const start = recorded.findIndex(({ label }) => label === from);
  const end = recorded.findIndex(({ mnemonic }, i) => i >= start && mnemonic === last);
  return end - start + 1;
}

/** From the gate of #PF to the jump through the table: both tests not taken. */
const ARRIVAL = pathLength("page_fault_or_syscall", "jmp");

test("getpid takes at most 8 instructions, from the fault to SYSRET", (t) => {
  t.is(ARRIVAL + pathLength("sys_getpid", "sysretq"), 8);
});

test("a call that the host serves takes at most 9 instructions, and saves no register", (t) => {
  t.is(ARRIVAL + pathLength("sys_host", "sysretq"), 9);
  const hostServed = recorded.filter(({ label }) => label === "sys_host");
  t.deepEqual(
    hostServed.map(({ mnemonic }) => mnemonic),
    ["out", "jc", "mov", "sysretq"],
  );
});

test("syscall_entry, where a processor arrives, touches no memory in its first instruction", (t) => {
  const entry = recorded.filter(({ label }) => label === "syscall_entry");
  t.is(entry[0]!.mnemonic, "swapgs");
});
