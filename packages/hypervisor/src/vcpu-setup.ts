/**
 * The state a vCPU starts in: real mode, flat protected mode, or long mode.
 *
 * What is written must also pass the checks that VT-x makes on VM entry (SDM Vol. 3C, "Checks on the Guest State
 * Area"): a usable TR that is a busy TSS, an LDTR that is a LDT or unusable, access rights that agree with the mode,
 * although an accelerator that emulates ring 0 would take less.
 */
import { CR0, CR4, EFER, RFLAGS } from "@kvmkit/guest-kernel/abi";
import {
  REG,
  type Registers,
  type Segment,
  type SystemRegisters,
  type VirtualCpu,
} from "./accelerators/accelerator.js";
import { SEGMENT_TYPE } from "./x86.js";

/** How a vCPU starts; structured-cloneable. */
export interface CpuStart {
  readonly mode: "real" | "protected" | "long";
  /** Guest-physical address of the PML4; long mode only. */
  readonly pageTableRoot?: number;
  /** Whether the first tables use the NX bit. */
  readonly noExecute?: boolean;
  /** General registers that are not 0. */
  readonly registers: Partial<Registers>;
}

/** Selectors of the flat segments; no descriptor table is in memory behind them. */
const CODE_SELECTOR = 0x08;
const DATA_SELECTOR = 0x10;

/** CR0 as an operating system sets it for x87, SSE and write protection in ring 0 (SDM Vol. 3A, "Control Registers"). */
const LONG_MODE_CR0 = CR0.PE | CR0.MP | CR0.ET | CR0.NE | CR0.WP | CR0.AM | CR0.PG;
const LONG_MODE_CR4 = CR4.PAE | CR4.OSFXSR | CR4.OSXMMEXCPT;

/** Puts a new vCPU into `start`. */
export function setUpVcpu(cpu: VirtualCpu, start: CpuStart): void {
  const system = cpu.getSystemRegisters();
  modes[start.mode](system, start);
  cpu.setSystemRegisters(system);

  cpu.registers.fill(0n);
  cpu.registers[REG.rflags] = RFLAGS.RESERVED_1;
  for (const [name, value] of Object.entries(start.registers)) {
    cpu.registers[REG[name as keyof Registers]] = BigInt.asUintN(64, value);
  }
  cpu.registersChanged();
}

const modes: Record<CpuStart["mode"], (system: SystemRegisters, start: CpuStart) => void> = {
  // From reset only CS is not at 0 (SDM Vol. 3A, "Processor State After Reset").
  real(system) {
    system.cs.base = 0n;
    system.cs.selector = 0;
  },
  protected(system) {
    flatSegments(system, { l: 0, db: 1 });
    system.cr0 = CR0.PE | CR0.MP | CR0.ET | CR0.NE;
  },
  long(system, { pageTableRoot = 0, noExecute = false }) {
    flatSegments(system, { l: 1, db: 0 });
    system.cr0 = LONG_MODE_CR0;
    system.cr3 = BigInt(pageTableRoot);
    system.cr4 = LONG_MODE_CR4;
    system.efer = EFER.LME | EFER.LMA | EFER.SCE | (noExecute ? EFER.NXE : 0n);
  },
};

function flatSegments(system: SystemRegisters, code: { l: number; db: number }): void {
  system.cs = { ...flat(CODE_SELECTOR, SEGMENT_TYPE.CODE_ER_ACCESSED), ...code };
  for (const name of ["ds", "es", "fs", "gs", "ss"] as const) {
    system[name] = flat(DATA_SELECTOR, SEGMENT_TYPE.DATA_RW_ACCESSED);
  }
  system.tr = { ...systemSegment(SEGMENT_TYPE.TSS_BUSY), limit: 0x67 };
  system.ldt = { ...systemSegment(SEGMENT_TYPE.LDT), present: 0, unusable: 1 };
  system.gdt = { base: 0n, limit: 0 };
  system.idt = { base: 0n, limit: 0 };
}

function flat(selector: number, type: number): Segment {
  return {
    base: 0n,
    limit: 0xffff_ffff,
    selector,
    type,
    present: 1,
    dpl: 0,
    db: 1,
    s: 1,
    l: 0,
    g: 1,
    avl: 0,
    unusable: 0,
  };
}

function systemSegment(type: number): Segment {
  return { ...flat(0, type), limit: 0, db: 0, s: 0, g: 0 };
}
