/**
 * The processor's state as the engines see it: typed views of the one memory, and what is derived from control
 * and segment registers. All architectural state lies in the memory (layout.ts); the fields here are caches
 * of it, rebuilt by `updateMode`, and scratch of the instruction in progress.
 *
 * 64-bit values are two int32 halves throughout, because they are 1.8 times as fast as BigInt here. A function
 * that yields 64 bits returns the low half and leaves the high half in `machine.hi`.
 */
import { Access, CR0, CR4, EFER, RFLAGS, Seg } from "./architecture.js";
import { Segment, State, Tlb } from "./layout.js";
import { type CpuMemory, PhysicalMemory } from "./memory.js";

/** What blocks events at the next instruction boundary (SDM Vol. 3A, "Masking Maskable Hardware Interrupts"). */
export const Shadow = { STI: 1, MOV_SS: 2 } as const;

/** What a CPUID leaf returns. Leaves and subleaves as in `kvm_cpuid_entry2`. */
export interface CpuidEntry {
  readonly function: number;
  readonly index: number;
  /** `KVM_CPUID_FLAG_SIGNIFCANT_INDEX` (1): the entry is for this subleaf only. */
  readonly flags: number;
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

/** A port or memory access that the VMM has to make, and the ones of this instruction that it has made. */
export interface ExternalAccess {
  readonly kind: "io" | "mmio";
  readonly address: number;
  /** Bytes of one item. */
  readonly size: number;
  readonly count: number;
  readonly write: boolean;
  /** `size * count` bytes: what is written, or room for what is read. */
  readonly data: Uint8Array;
}

const NO_WINDOW = 1;

export class Machine {
  readonly memory: CpuMemory;
  readonly physical: PhysicalMemory;
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly view: DataView;

  /** High half of the 64-bit value that was returned last. */
  hi = 0;

  // --- derived from control and segment registers by updateMode ---
  /** CS.L in long mode. */
  long64 = false;
  /** EFER.LMA */
  longMode = false;
  /** CR0.PE is clear. */
  real = true;
  paging = false;
  /** Default operand and address size of code: 2, 4 or 8 bytes. */
  codeSize = 2;
  /** Width of the stack pointer: 2, 4 or 8 bytes. */
  stackSize = 2;
  cpl = 0;
  /** Index into `i32` of the TLB array for data accesses, for implicit supervisor ones, and for fetches. */
  tlb = 0;
  readonly systemTlb = Tlb.supervisor >> 2;
  fetchTlb = 0;
  /** CR0.AM, RFLAGS.AC and CPL 3: misaligned data accesses raise #AC. */
  alignmentChecked = false;
  /** Some breakpoint of DR7 is enabled. */
  breakpoints = false;
  /** Guest-physical address bits, from CPUID 80000008H. */
  physicalBits = 40;
  /** 1 GiB pages exist (CPUID 80000001H EDX.26). */
  gigabytePages = true;

  /** The next instruction boundary has something to look at: events, TF, HLT, shadows. May be set for nothing. */
  attention = true;

  // --- the instruction in progress ---
  /** It is one after which TF does not trap: it was delivered through a gate. */
  trapSuppressed = false;
  /** Instructions that are left of the burst in progress, which `instructions` does not count yet. */
  left = 0;
  /** How many the burst had. */
  burst = 0;
  /** It raised an exception, which was delivered. */
  faulted = false;
  /** It is a REP string instruction with iterations left. */
  repeating = false;
  /** Where it began: faults push this. */
  startLo = 0;
  startHi = 0;
  faultVector = 0;
  faultError = 0;
  /** Linear address of a #PF; of any other fault, unspecified. */
  faultLo = 0;
  faultHi = 0;
  /** What the VMM has to do, set before `EXIT` is thrown. */
  pending: ExternalAccess | undefined;
  /** Accesses of this instruction that the VMM has made; it replays them when it starts again. */
  readonly done: ExternalAccess[] = [];
  replayed = 0;
  /** DR6 bits of data breakpoints that this instruction met. */
  debugHits = 0;

  cpuid: readonly CpuidEntry[] = [];
  /** One byte for each page of RAM: instructions decoded from it are cached. */
  readonly codePages: Uint8Array;
  /** Called before bytes at `pointer` in a page with code change. */
  codeWritten: (pointer: number, size: number) => void = () => {};
  /** Page of RIP (in 64-bit code) whose instructions are in `window`, or an address that no page has. */
  windowLo = NO_WINDOW;
  windowHi = 0;

  constructor(memory: CpuMemory) {
    const { buffer } = memory.wasm;
    this.memory = memory;
    this.physical = new PhysicalMemory(memory.ram.length);
    this.i32 = new Int32Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.view = new DataView(buffer);
    this.codePages = new Uint8Array(memory.ram.length / 4096);
  }

  get flags(): number {
    return this.i32[State.rflags >> 2]!;
  }

  /** Writes RFLAGS as it is; AC takes part in what a supervisor access may do. */
  set flags(value: number) {
    const changed = value ^ this.i32[State.rflags >> 2]!;
    this.i32[State.rflags >> 2] = value;
    if (changed & RFLAGS.AC) this.selectTlb();
  }

  get cr0(): number {
    return this.i32[State.cr0 >> 2]!;
  }

  get cr4(): number {
    return this.i32[State.cr4 >> 2]!;
  }

  get efer(): number {
    return this.i32[State.efer >> 2]!;
  }

  /** Reads a field of the hidden part of a segment register. */
  segment(segment: number, field: number): number {
    return this.i32[(State.segments + segment * Segment.stride + field) >> 2]!;
  }

  setSegment(segment: number, field: number, value: number): void {
    this.i32[(State.segments + segment * Segment.stride + field) >> 2] = value;
  }

  selector(segment: number): number {
    return this.segment(segment, Segment.selector) & 0xffff;
  }

  /** Rebuilds what is derived, after a change of CR0, CR4, EFER, CS, SS, DR7 or CPL. */
  updateMode(): void {
    const cs = this.segment(Seg.CS, Segment.access);
    this.real = (this.cr0 & CR0.PE) === 0;
    this.paging = (this.cr0 & CR0.PG) !== 0;
    this.longMode = (this.efer & EFER.LMA) !== 0;
    this.long64 = this.longMode && (cs & Access.L) !== 0;
    this.codeSize = this.long64 ? 8 : cs & Access.DB ? 4 : 2;
    this.stackSize = this.long64 ? 8 : this.segment(Seg.SS, Segment.access) & Access.DB ? 4 : 2;
    this.cpl = this.i32[State.cpl >> 2]!;
    this.breakpoints = (this.i32[State.dr7 >> 2]! & 0xff) !== 0;
    this.closeWindow();
    this.selectTlb();
  }

  /** The next fetch translates RIP again. */
  closeWindow(): void {
    this.windowLo = NO_WINDOW;
  }

  private selectTlb(): void {
    const ac = (this.flags & RFLAGS.AC) !== 0;
    const user = this.cpl === 3;
    this.alignmentChecked = user && ac && (this.cr0 & CR0.AM) !== 0;
    this.fetchTlb = (user ? Tlb.fetchUser : Tlb.fetchSupervisor) >> 2;
    if (this.alignmentChecked || this.breakpoints) this.tlb = Tlb.never >> 2;
    else if (user) this.tlb = Tlb.user >> 2;
    else this.tlb = (ac && this.cr4 & CR4.SMAP ? Tlb.supervisorAc : Tlb.supervisor) >> 2;
  }

  /** Instructions begun since reset, as a number: exact for 2^53 of them. */
  get instructions(): number {
    const at = State.instructions >> 2;
    return (this.i32[at]! >>> 0) + this.i32[at + 1]! * 2 ** 32;
  }

  set instructions(count: number) {
    const at = State.instructions >> 2;
    this.i32[at] = count;
    this.i32[at + 1] = Math.floor(count / 2 ** 32);
  }

  setCpl(cpl: number): void {
    this.i32[State.cpl >> 2] = cpl;
    this.updateMode();
  }
}
