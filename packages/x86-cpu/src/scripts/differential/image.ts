/**
 * The machine that test cases run in, as a memory image: the same bytes for /dev/kvm and for the software processor.
 *
 * A harness in ring 3 takes case after case: it loads all registers from an input block, jumps to the case's bytes,
 * and stores all registers to an output block, so that one exit serves a whole batch. Exceptions reach a stub in
 * ring 0 that notes vector, error code, CR2 and the frame, and goes on with the harness. Everything lies behind a linear address
 * that no random register comes near, within reach of 32-bit displacements:
 *
 *     0x00001000  page tables            0x00020000  bytes of the cases
 *     0x00008000  GDT, IDT, TSS, stub    0x00040000  input blocks
 *     0x0001a000  variables, harness     0x00080000  output blocks
 *                                        0x00100000  data that the cases work on
 */
import {
  Assembler,
  al,
  cr2,
  link,
  mem,
  type Register,
  r8,
  r9,
  r10,
  r11,
  r12,
  r13,
  r14,
  r15,
  rax,
  rbp,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
  rsp,
} from "@kvmkit/x86-asm";

/** Linear address of the guest's memory; its lower bits are zero up to those of a page directory. */
export const BASE = 0x2468_0000_0000n;

export const BATCH = 256;
/** Bytes of the guest's memory. */
export const MEMORY = 0x200000;

export const At = {
  pml4: 0x1000,
  pdpt: 0x2000,
  pd: 0x3000,
  pt: 0x4000,
  gdt: 0x8000,
  idt: 0x9000,
  tss: 0xa000,
  stub: 0xb000,
  kernelStack: 0xd000,
  // Not near a power of two, which is where wild pointers go.
  variables: 0x1a000,
  harness: 0x1b000,
  code: 0x20000,
  input: 0x40000,
  output: 0x80000,
  outputEnd: 0xc0000,
  data: 0x100000,
  dataEnd: 0x150000,
} as const;

/** Bytes for one case in each area. */
export const Stride = { code: 128, input: 1024, output: 1024, data: 1024 } as const;

/** Where a taken branch of a case lands in its slot. */
export const TAKEN = 120;

/** Pages behind the cases' own data: where accesses meet permissions and page ends. */
export const Special = {
  readWrite: 0x140000,
  /** Read-only, with a writable page in front of it. */
  readOnly: 0x141000,
  /** Writable, with an absent page behind it. */
  beforeAbsent: 0x143000,
  absent: 0x144000,
  supervisor: 0x146000,
  afterSupervisor: 0x147000,
} as const;

/** Order of the general registers in blocks, and of `kvm_regs` names in reports. */
export const REGISTERS = [
  "rax",
  "rcx",
  "rdx",
  "rbx",
  "rbp",
  "rsi",
  "rdi",
  "r8",
  "r9",
  "r10",
  "r11",
  "r12",
  "r13",
  "r14",
  "r15",
] as const;

const OPERANDS = { rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15 };

/** Byte offsets in an input block. */
export const Input = { fxsave: 0, rflags: 512, registers: 520, rsp: 640 } as const;
/** Byte offsets in an output block. */
export const Output = {
  fxsave: 0,
  registers: 512,
  rflags: 632,
  rsp: 640,
  vector: 648,
  error: 656,
  rip: 664,
  faultFlags: 672,
  cr2: 680,
  taken: 688,
  end: 696,
} as const;

const NO_VECTOR = -1;
export const EXIT_PORT = 0xe4;

/** Variables of the harness, 8 bytes each. */
const Variable = {
  input: 0,
  output: 8,
  outputTop: 16,
  target: 24,
  left: 32,
  rsp: 40,
  rax: 48,
  vector: 56,
  error: 64,
  rip: 72,
  faultFlags: 80,
  cr2: 88,
  taken: 96,
  done: 104,
  flagsBack: 112,
} as const;

type VariableName = keyof typeof Variable;
const variable = (name: VariableName) => mem.qword.rip(name);

function defineVariables(a: Assembler): void {
  for (const name of Object.keys(Variable) as VariableName[]) {
    a.equ(name, BASE + BigInt(At.variables + Variable[name]));
  }
}

/** Selectors. */
const KERNEL_CODE = 0x10;
const KERNEL_DATA = 0x18;
export const USER_DATA = 0x2b;
export const USER_CODE = 0x33;
const TSS = 0x40;

const GDT: readonly bigint[] = [
  0n,
  0x00cf9b000000ffffn,
  0x00af9b000000ffffn,
  0x00cf93000000ffffn,
  0x00cffb000000ffffn,
  0x00cff3000000ffffn,
  0x00affb000000ffffn,
  0n,
];

/** Bytes of the TSS with the permission bitmap behind it. */
const BITMAP = 0x68;
export const TSS_LIMIT = BITMAP + 0x20;

export const VECTORS = 32;
const WITH_ERROR = [8, 10, 11, 12, 13, 14, 17, 21];

function assembleHarness(): Uint8Array {
  const a = new Assembler();
  defineVariables(a);
  a.label("next").mov(rax, variable("input"));
  a.mov(variable("vector"), NO_VECTOR);
  a.mov(variable("taken"), 0);
  a.fxrstor64(mem(rax));
  a.lea(rsp, mem(rax, Input.rflags));
  a.popfq();
  for (const name of REGISTERS) a.pop(OPERANDS[name]);
  a.mov(rsp, mem.qword(rsp));
  a.jmp(variable("target"));

  a.label("branch").mov(variable("taken"), 1);
  a.label("finish").mov(variable("rsp"), rsp);
  a.mov(rsp, variable("outputTop"));
  a.pushfq();
  for (const name of [...REGISTERS].reverse()) a.push(OPERANDS[name]);
  // A case may have set TF, DF or AC; the harness runs without.
  a.push(2).popfq();
  a.mov(rax, variable("output"));
  a.fxsave64(mem(rax));
  const copied = ["rsp", "vector", "error", "rip", "faultFlags", "cr2", "taken"] as const;
  copied.forEach((name, n) => {
    a.mov(rcx, variable(name));
    a.mov(mem.qword(rax, Output.rsp + n * 8), rcx);
  });
  a.add(variable("input"), Stride.input);
  a.add(variable("output"), Stride.output);
  a.add(variable("outputTop"), Stride.output);
  a.add(variable("target"), Stride.code);
  a.sub(variable("left"), 1);
  a.jne("next");
  a.mov(variable("done"), 1);
  a.out(EXIT_PORT, al);
  a.label("stop").jmp("stop");
  return placed(a, At.harness, "harness");
}

const addresses = new Map<string, number>();

function placed(a: Assembler, origin: number, name: string): Uint8Array {
  const image = link(a.assemble(), { origins: { ".text": BASE + BigInt(origin) } });
  for (const [symbol, { address }] of image.symbols)
    addresses.set(`${name}.${symbol}`, Number(address - BASE));
  return image.sections[0]!.bytes;
}

const harness = assembleHarness();
export const Harness = {
  next: addresses.get("harness.next")!,
  done: addresses.get("harness.finish")!,
  branch: addresses.get("harness.branch")!,
} as const;

/** Interrupted code goes on at `done`; its registers stay as they are, but for TF. */
function assembleStub(): Uint8Array {
  const a = new Assembler();
  defineVariables(a);
  for (let vector = 0; vector < VECTORS; vector++) {
    a.label(`v${vector}`);
    if (!WITH_ERROR.includes(vector)) a.push(0);
    a.push(vector).jmp("common");
  }
  a.label("common");
  a.pop(variable("vector"));
  a.pop(variable("error"));
  a.mov(variable("rax"), rax);
  a.mov(rax, mem.qword(rsp));
  a.mov(variable("rip"), rax);
  a.mov(rax, mem.qword(rsp, 16));
  a.mov(variable("faultFlags"), rax);
  a.mov(rax, cr2);
  a.mov(variable("cr2"), rax);
  // The interrupted code's RAX is not needed any more here: it is put back below.
  a.mov(rax, BASE + BigInt(Harness.done)).mov(mem.qword(rsp), rax);
  a.mov(rax, variable("rax"));
  a.and(mem.qword(rsp, 16), ~0x10100);
  a.iretq();
  return placed(a, At.stub, "stub");
}

const stub = assembleStub();

/** Page-table entry bits. */
const P = 1n;
const W = 2n;
const U = 4n;
const USED = 0x60n;
const NX = 1n << 63n;

function pageFlags(address: number): bigint {
  if (address < At.variables) return address < 0x1000 ? 0n : P | W | USED;
  if (address === Special.readOnly) return P | U | USED | NX;
  if (address === At.harness) return P | U | USED;
  if (address === Special.absent) return 0n;
  if (address === Special.supervisor) return P | W | USED;
  // Gaps keep runaway string instructions away from the harness.
  if (address >= At.dataEnd || (address >= At.outputEnd && address < At.data)) return 0n;
  const code = address < At.input;
  return P | W | U | USED | (code ? 0n : NX);
}

function writeTables(view: DataView): void {
  const table = P | W | U | USED;
  const entry = (shift: bigint) => Number((BASE >> shift) & 0x1ffn) * 8;
  view.setBigUint64(At.pml4 + entry(39n), BigInt(At.pdpt) | table, true);
  view.setBigUint64(At.pdpt + entry(30n), BigInt(At.pd) | table, true);
  view.setBigUint64(At.pd + entry(21n), BigInt(At.pt) | table, true);
  for (let page = 0; page < 512; page++) {
    const flags = pageFlags(page * 4096);
    view.setBigUint64(At.pt + page * 8, flags === 0n ? 0n : BigInt(page * 4096) | flags, true);
  }
}

function writeDescriptors(view: DataView): void {
  GDT.forEach((descriptor, n) => {
    view.setBigUint64(At.gdt + n * 8, descriptor, true);
  });
  const tss = BASE + BigInt(At.tss);
  const low =
    BigInt(TSS_LIMIT) | ((tss & 0xffffffn) << 16n) | (0x8bn << 40n) | (((tss >> 24n) & 0xffn) << 56n);
  view.setBigUint64(At.gdt + TSS, low, true);
  view.setBigUint64(At.gdt + TSS + 8, tss >> 32n, true);
  view.setBigUint64(At.tss + 4, BASE + BigInt(At.kernelStack), true);
  view.setUint16(At.tss + 0x66, BITMAP, true);
  for (let port = 0; port < 0x20; port++) view.setUint8(At.tss + BITMAP + port, 0xff);
  view.setUint8(At.tss + BITMAP + (EXIT_PORT >> 3), 0xff & ~(1 << (EXIT_PORT & 7)));
  view.setUint8(At.tss + TSS_LIMIT, 0xff);
  for (let vector = 0; vector < VECTORS; vector++) {
    const target = addresses.get(`stub.v${vector}`)!;
    const type = vector === 3 || vector === 4 ? 0xee00 : 0x8e00;
    view.setUint32(At.idt + vector * 16, (KERNEL_CODE << 16) | (target & 0xffff), true);
    view.setUint32(At.idt + vector * 16 + 4, (target & 0xffff0000) | type, true);
    view.setUint32(At.idt + vector * 16 + 8, Number(BASE >> 32n), true);
  }
}

/** What never changes between batches. */
export function writeImage(memory: Uint8Array): void {
  const view = new DataView(memory.buffer, memory.byteOffset, memory.length);
  writeTables(view);
  writeDescriptors(view);
  memory.set(harness, At.harness);
  memory.set(stub, At.stub);
}

/** Variables for `count` cases of a batch, from case `first` on. */
export function writeVariables(memory: Uint8Array, count: number, first = 0): void {
  const view = new DataView(memory.buffer, memory.byteOffset, memory.length);
  const set = (name: keyof typeof Variable, value: number) =>
    view.setBigUint64(At.variables + Variable[name], BigInt(value), true);
  const pointer = (name: VariableName, value: number) =>
    view.setBigUint64(At.variables + Variable[name], BASE + BigInt(value), true);
  pointer("input", At.input + first * Stride.input);
  pointer("output", At.output + first * Stride.output);
  pointer("outputTop", At.output + first * Stride.output + Output.rsp);
  pointer("target", At.code + first * Stride.code);
  set("left", count);
  set("done", 0);
}

/** Whether the harness has come to its end, and how many cases are left. */
export function progress(memory: Uint8Array): { done: boolean; left: number } {
  const view = new DataView(memory.buffer, memory.byteOffset, memory.length);
  const at = (name: keyof typeof Variable) => view.getUint32(At.variables + Variable[name], true);
  return { done: at("done") === 1, left: at("left") };
}

export type GprOperand = Register<"r64">;

/** IF reads as 1 where ring 3 is native. */
export const START_FLAGS = 0x202n;
/** CR4.FSGSBASE is not in the CPUID that KVM supports everywhere, but is set for native code. */
export const FSGSBASE = 0x10000n;

const segment = { base: 0n, limit: 0xffffffff, present: 1, s: 1, g: 1, avl: 0, unusable: 0 };

/** Ring 3 at the harness, with everything set up. Same field names for both processors. */
export function startState() {
  const data = { ...segment, selector: USER_DATA, type: 3, dpl: 3, db: 1, l: 0 };
  return {
    sregs: {
      cs: { ...segment, selector: USER_CODE, type: 11, dpl: 3, db: 0, l: 1 },
      ds: data,
      es: data,
      fs: data,
      gs: data,
      ss: data,
      tr: {
        ...segment,
        base: BASE + BigInt(At.tss),
        limit: TSS_LIMIT,
        selector: TSS,
        type: 11,
        s: 0,
        g: 0,
        dpl: 0,
        db: 0,
        l: 0,
      },
      ldt: { ...segment, limit: 0, selector: 0, type: 2, s: 0, g: 0, dpl: 0, db: 0, l: 0, unusable: 1 },
      gdt: { base: BASE + BigInt(At.gdt), limit: TSS + 15 },
      idt: { base: BASE + BigInt(At.idt), limit: VECTORS * 16 - 1 },
      // PE MP ET NE WP AM PG; PAE OSFXSR OSXMMEXCPT; LME LMA NXE
      cr0: 0x80050033n,
      cr2: 0n,
      cr3: BigInt(At.pml4),
      cr4: 0x620n,
      cr8: 0n,
      efer: 0xd00n,
    },
    rip: BASE + BigInt(Harness.next),
  };
}
export { KERNEL_DATA };
