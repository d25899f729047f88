/**
 * Runs a static Linux program in ring 3 with two instructions of kernel: `syscall` enters `out 0xe4, al; sysretq`, and
 * the host answers. For tests and benchmarks of the processor alone; a program that faults ends with a shutdown.
 *
 * Memory is identity-mapped in 2 MiB user pages: program, heap, mmap area and stack all lie in it.
 */
import { Assembler, al, link } from "@kvmkit/x86-asm";
import { Cpu, type CpuOptions } from "../../cpu.js";
import type { KvmSegment } from "../../kvm-types.js";
import { Msr } from "../../msrs.js";
import { loadProgram } from "./program.js";
import { SystemCalls } from "./system-calls.js";

const MIB = 2 ** 20;
export const USER_MEMORY = 256 * MIB;
const PML4 = 0x1000;
const PDPT = 0x2000;
const PD = 0x3000;
const KERNEL = 0x5000;
const STACK_TOP = USER_MEMORY - 0x1000;
const EXIT_PORT = 0xe4;

export interface ProgramResult {
  /** Exit status, or -1 where the processor shut down. */
  readonly status: number;
  readonly output: Uint8Array;
  readonly instructions: number;
  /** State at a shutdown. */
  readonly report: string;
}

function kernelCode(): Uint8Array {
  const code = new Assembler().out(EXIT_PORT, al).sysretq().assemble();
  return link(code, { origins: { ".text": BigInt(KERNEL) } }).sections[0]!.bytes;
}

function segment(selector: number, type: number, dpl: number, code: boolean): KvmSegment {
  const flags = { present: 1, s: 1, g: 1, avl: 0, unusable: 0, db: code ? 0 : 1, l: code ? 1 : 0 };
  return { base: 0n, limit: 0xffffffff, selector, type, dpl, ...flags };
}

/** Page tables: kernel pages are executable by anyone here, because there is nothing to protect. */
function writeTables(ram: Uint8Array): void {
  const view = new DataView(ram.buffer, ram.byteOffset);
  view.setBigUint64(PML4, BigInt(PDPT | 7), true);
  view.setBigUint64(PDPT, BigInt(PD | 7), true);
  for (let n = 0; n < USER_MEMORY / (2 * MIB); n++) {
    view.setBigUint64(PD + n * 8, BigInt(n * 2 * MIB) | 0x87n, true);
  }
}

/** A processor in ring 3 at the program's entry. */
export function prepare(elf: Uint8Array, args: readonly string[], options: Partial<CpuOptions> = {}) {
  const cpu = new Cpu({ ...options, memory: USER_MEMORY });
  const { ram } = cpu.memory;
  writeTables(ram);
  ram.set(kernelCode(), KERNEL);
  const program = loadProgram(ram, elf, args, STACK_TOP);
  const data = segment(0x2b, 3, 3, false);
  cpu.setSregs({
    ...cpu.getSregs(),
    cs: segment(0x33, 11, 3, true),
    ...{ ds: data, es: data, fs: data, gs: data, ss: data },
    cr0: 0x80050033n,
    cr3: BigInt(PML4),
    cr4: 0x620n,
    efer: 0xd01n,
  });
  cpu.setMsrs([
    { index: Msr.IA32_STAR, data: 0x0023001000000000n },
    { index: Msr.IA32_LSTAR, data: BigInt(KERNEL) },
    { index: Msr.IA32_FMASK, data: 0x47700n },
  ]);
  // RDX is a function to call at exit (psABI, "Process Initialization"): none.
  const start = { rip: BigInt(program.entry), rsp: BigInt(program.stackPointer), rdx: 0n, rflags: 0x202n };
  cpu.setRegs({ ...cpu.getRegs(), ...start });
  return { cpu, calls: new SystemCalls(cpu, program.end, STACK_TOP - 8 * MIB) };
}

/** Runs a program to its end. */
export function runProgram(
  elf: Uint8Array,
  args: readonly string[],
  options: Partial<CpuOptions> = {},
): ProgramResult {
  const { cpu, calls } = prepare(elf, args, options);
  for (;;) {
    const exit = cpu.run();
    if (exit.reason === "KVM_EXIT_IO" && exit.port === EXIT_PORT) {
      if (!calls.answer()) continue;
    } else if (calls.status === undefined) {
      const report = `${exit.reason} at ${cpu.getRegs().rip.toString(16)}, cr2 ${cpu.getSregs().cr2.toString(16)}`;
      return { status: -1, output: calls.output(), instructions: cpu.instructions, report };
    }
    return { status: calls.status ?? -1, output: calls.output(), instructions: cpu.instructions, report: "" };
  }
}
