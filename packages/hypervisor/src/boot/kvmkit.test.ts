import { PF, writeElf } from "@kvmkit/elf";
import {
  AREA,
  AREA_FLAGS,
  BOOT_FLAGS,
  BOOT_INFO,
  BOOT_INFO_MAGIC,
  BOOT_INFO_SIZE,
  DIRECT_MAP_BASE,
  KERNEL_BASE,
  USER_STACK_TOP,
} from "@kvmkit/guest-kernel/abi";
import test from "ava";
import { VmError } from "../errors.js";
import { plainMemory } from "../internal-testing/memory.js";
import type { GuestMemory } from "../memory/guest-memory.js";
import { translate } from "../memory/page-walk.js";
import { layOutKvmkit } from "./kvmkit.js";

const MIB = 2 ** 20;
const RANDOM = new Uint8Array(16);
const CODE = Uint8Array.of(0xf4, 0x90);

interface Segment {
  readonly paddr: bigint;
  readonly vaddr?: bigint;
  readonly flags: number;
  readonly memSizeBytes?: number;
}

const TEXT: Segment = { paddr: 0x10_0000n, flags: PF.PF_R | PF.PF_X };
const DATA: Segment = { paddr: 0x20_0000n, flags: PF.PF_R | PF.PF_W, memSizeBytes: 0x3000 };

function kernelElf(
  segments: readonly Segment[] = [TEXT, DATA],
  entry = KERNEL_BASE + 0x10_0001n,
): Uint8Array {
  return writeElf({
    kind: "executable",
    entry,
    segments: segments.map(({ paddr, vaddr, flags, memSizeBytes }) => ({
      vaddr: vaddr ?? KERNEL_BASE + paddr,
      paddr,
      bytes: CODE,
      flags,
      ...(memSizeBytes && { memSizeBytes }),
    })),
  });
}

function layOut(memory: GuestMemory, more: Partial<Parameters<typeof layOutKvmkit>[1]> = {}) {
  return layOutKvmkit(memory, { kernel: kernelElf(), ring0Emulated: false, random: RANDOM, ...more });
}

/** Where `address` leads in the first tables, and whether it may be written and executed; from the leaf entry. */
function mapping(memory: GuestMemory, root: number, address: bigint) {
  let table = root;
  for (const shift of [39n, 30n]) {
    table = Number(memory.u64(table + Number((address >> shift) & 511n) * 8) & 0xf_ffff_ffff_f000n);
    if (table === 0) return undefined;
  }
  const entry = memory.u64(table + Number((address >> 21n) & 511n) * 8);
  if (entry === 0n) return undefined;
  return {
    frame: Number(entry & 0xf_ffff_ffe0_0000n),
    user: (entry & 4n) !== 0n,
    writable: (entry & 2n) !== 0n,
    executable: entry >> 63n === 0n,
  };
}

test("layOutKvmkit: the kernel lies at its p_paddr and starts at its entry in long mode with NX", (t) => {
  const memory = plainMemory(16 * MIB);
  const { start, bootInfo } = layOut(memory);
  t.deepEqual([...memory.read(0x10_0000, 2)], [...CODE]);
  t.is(start.mode, "long");
  t.true(start.noExecute);
  t.is(start.registers.rip, KERNEL_BASE + 0x10_0001n);
  t.is(start.registers.rdi, DIRECT_MAP_BASE + BigInt(bootInfo));
  t.is(start.registers.rsp! % 16n, 0n);
});

test("layOutKvmkit: no page is writable and executable, by no alias, and none is user-accessible", (t) => {
  const memory = plainMemory(16 * MIB);
  const { start } = layOut(memory);
  const at = (address: bigint) => mapping(memory, start.pageTableRoot!, address);
  t.deepEqual(at(KERNEL_BASE), { frame: 0, user: false, writable: false, executable: true });
  t.deepEqual(at(KERNEL_BASE + 0x20_0000n), {
    frame: 0x20_0000,
    user: false,
    writable: true,
    executable: false,
  });
  t.is(at(KERNEL_BASE + 0x40_0000n), undefined);
  t.deepEqual(at(DIRECT_MAP_BASE), { frame: 0, user: false, writable: false, executable: false });
  for (let frame = 2 * MIB; frame < 16 * MIB; frame += 2 * MIB) {
    t.deepEqual(at(DIRECT_MAP_BASE + BigInt(frame)), {
      frame,
      user: false,
      writable: true,
      executable: false,
    });
  }
  t.is(at(DIRECT_MAP_BASE + BigInt(16 * MIB)), undefined);
  t.is(at(0n), undefined);
});

test("layOutKvmkit: boot information says what memory there is and what of it is free", (t) => {
  const memory = plainMemory(16 * MIB);
  const { start, bootInfo } = layOut(memory);
  const field = (name: keyof typeof BOOT_INFO) => memory.u64(bootInfo + BOOT_INFO[name]);
  t.is(field("magic"), BOOT_INFO_MAGIC);
  t.is(memory.u32(bootInfo + BOOT_INFO.size), BOOT_INFO_SIZE);
  t.is(field("flags"), 0n);
  t.deepEqual([field("memory_range_0_start"), field("memory_range_0_size")], [0n, BigInt(16 * MIB)]);
  t.deepEqual([field("memory_range_1_start"), field("memory_range_1_size")], [0n, 0n]);
  t.is(field("page_table_root"), BigInt(start.pageTableRoot!));
  t.is(field("pool_end"), BigInt(16 * MIB));
  const pool = Number(field("pool_start"));
  t.is(pool % 4096, 0);
  t.true(pool > bootInfo && BigInt(pool) >= start.registers.rsp! - DIRECT_MAP_BASE);
  t.true(memory.read(pool, 16 * MIB - pool).every((byte) => byte === 0));
  t.is(field("program_entry"), 0n);
  t.is(field("area_count"), 0n);
});

test("layOutKvmkit: where ring 0 is emulated, the flags say so and that the host helps with page tables", (t) => {
  const memory = plainMemory(16 * MIB);
  const { bootInfo } = layOut(memory, { ring0Emulated: true });
  t.is(memory.u64(bootInfo + BOOT_INFO.flags), BOOT_FLAGS.RING0_EMULATED | BOOT_FLAGS.HOST_PAGING);
});

test("layOutKvmkit: the host's own walk finds the boot information in the direct map", (t) => {
  const memory = plainMemory(16 * MIB);
  const { start, bootInfo } = layOut(memory);
  const extents: { address: number; length: number }[] = [];
  const space = { paging: "long", root: start.pageTableRoot! } as const;
  translate(memory, space, start.registers.rdi!, 4096, { write: true, user: false }, extents);
  t.deepEqual(extents, [{ address: bootInfo, length: 4096 }]);
});

test("layOutKvmkit: the program's pieces and stack become areas with their bytes behind them", (t) => {
  const memory = plainMemory(16 * MIB);
  const image = writeElf({
    kind: "executable",
    entry: 0x40_0000n,
    segments: [
      { vaddr: 0x40_0000n, bytes: CODE, flags: PF.PF_R | PF.PF_X },
      { vaddr: 0x60_0000n, bytes: Uint8Array.of(1, 2, 3), memSizeBytes: 0x5000, flags: PF.PF_R | PF.PF_W },
    ],
  });
  const { bootInfo } = layOut(memory, { program: { image, path: "/prog", args: ["prog"] } });
  const count = Number(memory.u64(bootInfo + BOOT_INFO.area_count));
  const records = Number(memory.u64(bootInfo + BOOT_INFO.areas) - DIRECT_MAP_BASE);
  const areas = Array.from({ length: count }, (_, index) => {
    const field = (name: keyof typeof AREA) => memory.u64(records + index * AREA.size + AREA[name]);
    return {
      start: field("start"),
      end: field("end"),
      flags: field("flags"),
      backed: field("backed_bytes"),
      backing: Number(field("backing")),
    };
  });
  const { READ, WRITE, EXEC, STACK } = AREA_FLAGS;
  t.deepEqual(
    areas.map(({ start, end, flags, backed }) => [start, end, flags, backed]),
    [
      [0x40_0000n, 0x40_1000n, READ | EXEC, 0x1000n],
      [0x60_0000n, 0x60_1000n, READ | WRITE, 0x1000n],
      [0x60_1000n, 0x60_5000n, READ | WRITE, 0n],
      [areas[3]!.start, USER_STACK_TOP, READ | WRITE | STACK, USER_STACK_TOP - areas[3]!.start],
    ],
  );
  t.deepEqual([...memory.read(areas[0]!.backing, 2)], [...CODE]);
  t.deepEqual([...memory.read(areas[1]!.backing, 4)], [1, 2, 3, 0]);
  t.is(memory.u64(bootInfo + BOOT_INFO.program_entry), 0x40_0000n);
  t.is(memory.u64(bootInfo + BOOT_INFO.program_brk), 0x60_5000n);
  const rsp = memory.u64(bootInfo + BOOT_INFO.program_stack);
  t.is(memory.u64(areas[3]!.backing + Number(rsp - areas[3]!.start)), 1n);
});

const badKernels: [string, Uint8Array, string][] = [
  ["is no ELF file", Uint8Array.of(1, 2, 3, 4), "e_ident"],
  ["lies below 1 MiB", kernelElf([{ ...TEXT, paddr: 0n }]), "p_paddr"],
  ["reaches past memory", kernelElf([{ ...TEXT, memSizeBytes: 32 * MIB }]), "p_paddr"],
  ["is not linked at KERNEL_BASE", kernelElf([{ ...TEXT, vaddr: 0x10_0000n }], 0x10_0000n), "p_vaddr"],
  ["has code and data in one 2 MiB page", kernelElf([TEXT, { ...DATA, paddr: 0x10_2000n }]), "p_flags"],
  ["starts outside its code", kernelElf([TEXT, DATA], KERNEL_BASE + 0x20_0000n), "e_entry"],
];

for (const [title, kernel, field] of badKernels) {
  test(`layOutKvmkit: a kernel that ${title} is refused, naming the field`, (t) => {
    const error = t.throws(() => layOut(plainMemory(16 * MIB), { kernel }), {
      instanceOf: VmError,
      code: "ERR_VM_KERNEL",
    });
    if (title !== "is no ELF file") t.is(error.facts["field"], field);
  });
}

test("layOutKvmkit: a program that is no ELF file is refused with the ElfError as cause", (t) => {
  const program = { image: Uint8Array.of(0x23, 0x21), path: "/script" };
  const error = t.throws(() => layOut(plainMemory(16 * MIB), { program }), { code: "ERR_VM_PROGRAM" });
  t.is((error!.cause as { code?: string }).code, "ERR_ELF_MAGIC");
  t.regex(error!.message, /\/script/);
});

test("layOutKvmkit: a program that lies where the stack may grow is refused", (t) => {
  const bytes = Uint8Array.of(0xf4);
  const segments = [{ vaddr: USER_STACK_TOP - 0x2000n, bytes, flags: PF.PF_R | PF.PF_X }];
  const image = writeElf({ kind: "executable", entry: USER_STACK_TOP - 0x2000n, segments });
  const error = t.throws(() => layOut(plainMemory(16 * MIB), { program: { image, path: "/high" } }), {
    code: "ERR_VM_PROGRAM",
  });
  t.is((error!.cause as { code?: string }).code, "ERR_ELF_SEGMENT_RANGE");
});

test("layOutKvmkit: a dynamically linked program is refused, naming its interpreter", (t) => {
  const path = new TextEncoder().encode("/lib64/ld-linux-x86-64.so.2\0");
  const image = writeElf({
    kind: "executable",
    entry: 0x40_0000n,
    segments: [
      { type: 3, vaddr: 0x40_0000n, bytes: path, flags: PF.PF_R },
      { vaddr: 0x40_0000n, bytes: path, flags: PF.PF_R | PF.PF_X },
    ],
  });
  t.throws(() => layOut(plainMemory(16 * MIB), { program: { image, path: "/dyn" } }), {
    code: "ERR_VM_PROGRAM",
    message: /ld-linux/,
  });
});

test("layOutKvmkit: a program that does not fit says how much is needed and how much is free", (t) => {
  const image = writeElf({
    kind: "executable",
    entry: 0x40_0000n,
    segments: [{ vaddr: 0x40_0000n, bytes: new Uint8Array(12 * MIB), flags: PF.PF_R | PF.PF_X }],
  });
  t.throws(() => layOut(plainMemory(8 * MIB), { program: { image, path: "/big" } }), {
    code: "ERR_VM_MEMORY_EXHAUSTED",
    message: /needs 12582912 bytes/,
  });
});
