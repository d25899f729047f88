/**
 * A bare machine for unit tests: one page of code, tables that map memory to itself, and handlers that halt, so that the
 * host can read an exception off its frame. The same guest runs on both engines and, in ring 3, behind /dev/kvm.
 *
 *     0x0000  IVT                        0x0a000  kernel stack, downwards from 0xb000
 *     0x1000  PML4, PDPT, PD, PT         0x0c000  IST1 stack, downwards from 0xd000
 *     0x5000  GDT                        0x10000  code
 *     0x6000  IDT                        0x20000  data
 *     0x7000  TSS; 0x7800 LDT            0x2f000  stack of the code, downwards from 0x30000
 *     0x8000  handlers, 16 bytes each    0x40000  for the test; the tables end at 2 MiB
 */
import { assemble, assembleFlat, link } from "@kvmkit/x86-asm";
import { CR0, CR4, EFER, WITH_ERROR_CODE } from "../../architecture.js";
import type { KvmRegs, KvmSregs } from "../../kvm-types.js";
import { Pte } from "../../paging.js";
import type { Box } from "./box.js";

export const At = {
  pml4: 0x1000,
  pdpt: 0x2000,
  pd: 0x3000,
  pt: 0x4000,
  gdt: 0x5000,
  idt: 0x6000,
  tss: 0x7000,
  ldt: 0x7800,
  handlers: 0x8000,
  kernelStack: 0xb000,
  istStack: 0xd000,
  code: 0x10000,
  data: 0x20000,
  stack: 0x30000,
  free: 0x40000,
} as const;

/** Selectors of the GDT; those from `free` on are the test's. */
export const Sel = {
  code32: 0x08,
  code64: 0x10,
  data: 0x18,
  userCode32: 0x23,
  userData: 0x2b,
  userCode64: 0x33,
  tss: 0x40,
  ldt: 0x50,
  free: 0x60,
} as const;

const GDT: readonly bigint[] = [
  0n,
  0x00cf9b000000ffffn,
  0x00af9b000000ffffn,
  0x00cf93000000ffffn,
  0x00cffb000000ffffn,
  0x00cff3000000ffffn,
  0x00affb000000ffffn,
];
export const GDT_LIMIT = 0xff;

/** Page flags as a test writes them; accessed and dirty unless they say otherwise. */
export const Page = { P: Pte.P, W: Pte.W, U: Pte.U, A: Pte.A, D: Pte.D, PS: Pte.PS } as const;
export const USED = Pte.P | Pte.A | Pte.D;
export const NX = 1n << 63n;
const BIT = (n: number) => 1n << BigInt(n);

export const MNEMONICS: Readonly<Record<number, string>> = {
  0: "#DE",
  1: "#DB",
  2: "NMI",
  3: "#BP",
  4: "#OF",
  5: "#BR",
  6: "#UD",
  7: "#NM",
  8: "#DF",
  10: "#TS",
  11: "#NP",
  12: "#SS",
  13: "#GP",
  14: "#PF",
  16: "#MF",
  17: "#AC",
  19: "#XM",
};

export type Mode = "real" | "protected" | "long";

export interface GuestOptions {
  readonly mode?: Mode;
  /** Privilege level of the code. */
  readonly level?: 0 | 3;
}

/** What an exception pushed. */
export interface Frame {
  readonly vector: number;
  readonly error: bigint | undefined;
  readonly rip: bigint;
  readonly cs: bigint;
  readonly rflags: bigint;
  /** Only where the mode or a change of level pushes them. */
  readonly rsp: bigint;
  readonly ss: bigint;
}

export interface Outcome {
  /**
   * `done` at the end of the code, `#GP(0x10)`, `#PF(0x7) 0x20000` (error code, CR2), `vector 0x21` in a handler, else the
   * name of the exit.
   */
  readonly what: string;
  readonly frame: Frame | undefined;
  readonly regs: KvmRegs;
  readonly sregs: KvmSregs;
}

const flat = { base: 0n, limit: 0xffffffff, present: 1, s: 1, g: 1, avl: 0, unusable: 0 };

export class Guest {
  readonly box: Box;
  readonly mode: Mode;
  readonly level: number;
  readonly view: DataView;
  readonly sregs: KvmSregs;
  readonly regs: KvmRegs;
  /** Address behind the code: its end marker is there. */
  private end = -1;
  private readonly symbols = new Map<string, bigint>();

  constructor(box: Box, { mode = "long", level = 0 }: GuestOptions = {}) {
    this.box = box;
    this.mode = mode;
    this.level = level;
    const { ram } = box;
    this.view = new DataView(ram.buffer, ram.byteOffset, ram.length);
    this.sregs = box.getSregs();
    this.regs = { ...box.getRegs(), rip: BigInt(At.code), rsp: BigInt(At.stack), rflags: 2n };
    ram.fill(0xf4, At.handlers, At.handlers + 0x1000);
    if (mode === "real") this.setUpReal();
    else this.setUpProtected();
  }

  private setUpReal(): void {
    for (let vector = 0; vector < 256; vector++)
      this.view.setUint32(vector * 4, At.handlers + vector * 16, true);
    Object.assign(this.sregs.cs, { selector: At.code >> 4, base: BigInt(At.code) });
    Object.assign(this.sregs.idt, { base: 0n, limit: 0x3ff });
    Object.assign(this.regs, { rip: 0n, rsp: 0x7000n });
  }

  private setUpProtected(): void {
    const { sregs, level } = this;
    const long = this.mode === "long";
    GDT.forEach((descriptor, n) => {
      this.descriptor(n * 8, descriptor);
    });
    const user = level === 3;
    const data = { ...flat, selector: user ? Sel.userData : Sel.data, type: 3, dpl: level, db: 1, l: 0 };
    const [kernelCode, userCode] = long ? [Sel.code64, Sel.userCode64] : [Sel.code32, Sel.userCode32];
    const selector = user ? userCode : kernelCode;
    const code = { ...flat, selector, type: 11, dpl: level, db: long ? 0 : 1, l: long ? 1 : 0 };
    const system = { ...flat, s: 0, g: 0, dpl: 0, db: 0, l: 0 };
    Object.assign(sregs, {
      ...{ cs: code, ds: data, es: { ...data }, fs: { ...data }, gs: { ...data }, ss: { ...data } },
      tr: { ...system, base: BigInt(At.tss), limit: 0x67, selector: Sel.tss, type: 11 },
      ldt: { ...system, limit: 0, selector: 0, type: 2, unusable: 1 },
      gdt: { base: BigInt(At.gdt), limit: GDT_LIMIT },
      idt: { base: BigInt(At.idt), limit: 256 * (long ? 16 : 8) - 1 },
      cr0: BigInt(CR0.PE | CR0.MP | CR0.ET | CR0.NE | CR0.WP | CR0.AM),
      ...{ cr2: 0n, cr3: 0n, cr8: 0n, efer: 0n, cr4: BigInt(CR4.OSFXSR | CR4.OSXMMEXCPT) },
    });
    if (long) this.setUpLong();
    else this.setUpTss32();
    for (let vector = 0; vector < 256; vector++) {
      this.gate(vector, { type: vector === 3 || vector === 4 ? 0xee : 0x8e });
    }
  }

  private setUpLong(): void {
    const { sregs, view } = this;
    sregs.cr0 |= BIT(31);
    sregs.cr4 |= BigInt(CR4.PAE);
    sregs.cr3 = BigInt(At.pml4);
    sregs.efer = BigInt(EFER.SCE | EFER.LME | EFER.LMA | EFER.NXE);
    const all = USED | Pte.W | Pte.U;
    view.setBigUint64(At.pml4, BigInt(At.pdpt | all), true);
    view.setBigUint64(At.pdpt, BigInt(At.pd | all), true);
    view.setBigUint64(At.pd, BigInt(At.pt | all), true);
    for (let page = 0; page < 0x200000; page += 0x1000) {
      const user = this.level === 3 && page >= At.code;
      this.page(page, USED | Pte.W | (user ? Pte.U : 0));
    }
    view.setBigUint64(At.tss + 4, BigInt(At.kernelStack), true);
    view.setBigUint64(At.tss + 0x24, BigInt(At.istStack), true);
    view.setUint16(At.tss + 0x66, 0x68, true);
    this.systemDescriptor(Sel.tss, At.tss, 0x67, 0x8b);
  }

  private setUpTss32(): void {
    this.view.setUint32(At.tss + 4, At.kernelStack, true);
    this.view.setUint32(At.tss + 8, Sel.data, true);
    this.view.setUint16(At.tss + 0x66, 0x68, true);
    this.systemDescriptor(Sel.tss, At.tss, 0x67, 0x8b);
  }

  /** Maps one page of the first 2 MiB. */
  page(linear: number, flags: number, physical = linear, high = 0n): this {
    this.view.setBigUint64(this.pte(linear), BigInt(physical) | BigInt(flags) | high, true);
    return this;
  }

  /** Address of the page-table entry of a page of the first 2 MiB. */
  pte(linear: number): number {
    return At.pt + (linear >> 12) * 8;
  }

  word(at: number): bigint {
    return this.view.getBigUint64(at, true);
  }

  write(at: number, value: bigint): this {
    this.view.setBigUint64(at, BigInt.asUintN(64, value), true);
    return this;
  }

  descriptor(selector: number, value: bigint): this {
    return this.write(At.gdt + (selector & ~7), value);
  }

  /** A system descriptor; in long mode of 16 bytes. `access`: bits 47:40. */
  systemDescriptor(selector: number, base: number, limit: number, access: number): this {
    const low = (BigInt(base) & 0xffffffn) << 16n;
    this.descriptor(selector, BigInt(limit) | low | (BigInt(access) << 40n) | (BigInt(base >>> 24) << 56n));
    return this.mode === "long" ? this.descriptor(selector + 8, 0n) : this;
  }

  /** A call gate to an offset. */
  callGate(selector: number, target: number, offset: number, access: number, parameters = 0): this {
    const low = BigInt(offset & 0xffff) | (BigInt(target) << 16n) | (BigInt(parameters) << 32n);
    this.descriptor(selector, low | (BigInt(access) << 40n) | (BigInt(offset >>> 16) << 48n));
    return this.mode === "long" ? this.descriptor(selector + 8, 0n) : this;
  }

  /** A gate of the IDT. `type`: bits 47:40. */
  gate(
    vector: number,
    { type = 0x8e, ist = 0, selector = 0, offset = At.handlers + vector * 16, high = 0 },
  ): this {
    const long = this.mode === "long";
    const { view } = this;
    const at = At.idt + vector * (long ? 16 : 8);
    const target = selector || (long ? Sel.code64 : Sel.code32);
    view.setUint32(at, ((target << 16) | (offset & 0xffff)) >>> 0, true);
    view.setUint32(at + 4, ((offset & 0xffff0000) | (type << 8) | ist) >>> 0, true);
    if (long) view.setUint32(at + 8, high, true);
    return this;
  }

  /** Puts assembled text somewhere, and returns its bytes. Its labels are known to `symbol`. */
  text(source: string, at: number, bits = this.bits): Uint8Array {
    const { object } = assemble(source, { bits });
    const origin = BigInt(this.mode === "real" ? at & 0xffff : at);
    const image = link(object, { origins: { ".text": origin } });
    for (const [name, { address }] of image.symbols) this.symbols.set(name, address);
    const { bytes } = image.sections[0]!;
    this.box.ram.set(bytes, at);
    return bytes;
  }

  /** Puts a whole program in NASM's dialect somewhere, with its own `org` and `bits`. */
  nasm(source: string, at: number): void {
    this.box.ram.set(assembleFlat(source, { dialect: "nasm" }), at);
  }

  /** Address of a label. */
  symbol(name: string): bigint {
    return this.symbols.get(name)!;
  }

  private get bits(): 16 | 32 | 64 {
    return this.mode === "real" ? 16 : this.mode === "protected" ? 32 : 64;
  }

  /** Assembles the code to run; at its end is what makes the outcome `done`: HLT, in ring 3 INT3. */
  code(source: string): this {
    const bytes = this.text(source, At.code);
    this.end = bytes.length;
    this.box.ram[At.code + this.end] = this.level === 3 ? 0xcc : 0xf4;
    return this;
  }

  /** Starts the code and runs to the first exit that is not for the test's own pleasure. */
  run(source?: string): Outcome {
    if (source !== undefined) this.code(source);
    this.box.setSregs(this.sregs);
    this.box.setRegs(this.regs);
    return this.resume();
  }

  /** Runs on to the next exit. */
  resume(): Outcome {
    return this.outcome(this.box.run());
  }

  outcome(exit: string): Outcome {
    const [regs, sregs] = [this.box.getRegs(), this.box.getSregs()];
    const at = Number(regs.rip) - 1 + Number(this.mode === "real" ? sregs.cs.base : 0n);
    const vector = (at - At.handlers) / 16;
    if (exit === "KVM_EXIT_HLT" && vector >= 0 && vector < 256) {
      const frame = this.frame(vector, regs, sregs);
      const isEnd = this.level === 3 && vector === 3 && Number(frame.rip) === At.code + this.end + 1;
      return { what: isEnd ? "done" : describe(frame, sregs), frame, regs, sregs };
    }
    const what = exit === "KVM_EXIT_HLT" && at === At.code + this.end ? "done" : exit;
    return { what, frame: undefined, regs, sregs };
  }

  private frame(vector: number, regs: KvmRegs, sregs: KvmSregs): Frame {
    const size = this.mode === "real" ? 2 : this.mode === "protected" ? 4 : 8;
    let at = Number(regs.rsp) + Number(this.mode === "long" ? 0n : sregs.ss.base);
    const next = () => {
      let value = 0n;
      for (let n = size - 1; n >= 0; n--) value = (value << 8n) | BigInt(this.view.getUint8(at + n));
      at += size;
      return value;
    };
    const error = this.mode !== "real" && WITH_ERROR_CODE.includes(vector) ? next() : undefined;
    const [rip, cs, rflags] = [next(), next(), next()];
    return { vector, error, rip, cs, rflags, rsp: next(), ss: next() };
  }
}

function describe({ vector, error }: Frame, { cr2 }: KvmSregs): string {
  const name = MNEMONICS[vector] ?? `vector 0x${vector.toString(16)}`;
  const code = error === undefined ? "" : `(0x${error.toString(16)})`;
  return `${name}${code}${vector === 14 ? ` 0x${cr2.toString(16)}` : ""}`;
}
