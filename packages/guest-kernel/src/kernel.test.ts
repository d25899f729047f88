import test from "ava";
import {
  type HypercallRow,
  KERNEL_BASE,
  KERNEL_DATA_GPA,
  KERNEL_TEXT_GPA,
  LARGE_PAGE_SIZE,
  SYSCALLS,
} from "./abi/index.js";
import { EXCEPTIONS } from "./arch/idt.js";
import { buildKernel, KernelBuildError, type KernelImage, SEGMENT_FLAGS } from "./index.js";

const kernel = buildKernel();

function symbol(image: KernelImage, name: string): bigint {
  const found = image.symbols.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no symbol ${name}`);
  return found.value;
}

function qword(image: KernelImage, address: bigint): bigint {
  const segment = image.segments.find(
    ({ vaddr, bytes }) => address >= vaddr && address < vaddr + BigInt(bytes.length),
  )!;
  return new DataView(segment.bytes.buffer).getBigUint64(Number(address - segment.vaddr), true);
}

const plugin = (nr: number, name = "clock_now"): HypercallRow => ({
  nr,
  name,
  args: {},
  errors: [],
  doc: "",
});

test("buildKernel: same options, same bytes", (t) => {
  t.deepEqual(buildKernel(), kernel);
});

test("buildKernel: text is read and execute, data read and write, each in 2 MiB pages of its own", (t) => {
  const [text, data] = kernel.segments;
  t.is(text!.flags, SEGMENT_FLAGS.READ | SEGMENT_FLAGS.EXECUTE);
  t.is(data!.flags, SEGMENT_FLAGS.READ | SEGMENT_FLAGS.WRITE);
  t.is(text!.vaddr, KERNEL_BASE + KERNEL_TEXT_GPA);
  t.is(data!.vaddr, KERNEL_BASE + KERNEL_DATA_GPA);
  for (const { vaddr, paddr, bytes, memSizeBytes } of kernel.segments) {
    t.is(vaddr, KERNEL_BASE + paddr);
    t.true(memSizeBytes >= bytes.length);
    const page = (address: bigint) => address / BigInt(LARGE_PAGE_SIZE);
    t.is(page(paddr), page(paddr + BigInt(memSizeBytes) - 1n));
  }
});

test("buildKernel: the entry is kernel_start, in the text", (t) => {
  t.is(kernel.entry, symbol(kernel, "kernel_start"));
});

test("symbols: ascending, without labels inside functions, each with a size", (t) => {
  const { symbols } = kernel;
  for (const [i, { name, value, sizeBytes }] of symbols.entries()) {
    t.false(name.includes("."), name);
    if (i > 0) t.true(symbols[i - 1]!.value <= value, name);
    t.true(sizeBytes >= 0, name);
  }
});

test("IDT: each gate leads to its vector's stub, 16 bytes apart from the start of the text", (t) => {
  const idt = symbol(kernel, "idt");
  for (const { vector } of EXCEPTIONS) {
    const low = qword(kernel, idt + BigInt(vector * 16));
    const high = qword(kernel, idt + BigInt(vector * 16 + 8));
    const offset = (low & 0xffffn) | ((low >> 32n) & 0xffff_0000n) | (high << 32n);
    t.is(offset, symbol(kernel, `exception_${vector}`), `vector ${vector}`);
  }
});

test("IDT: the gate for syscall through #PF leads to page_fault_or_syscall", (t) => {
  const low = qword(kernel, symbol(kernel, "syscall_fault_gate"));
  const offset = (low & 0xffffn) | ((low >> 32n) & 0xffff_0000n) | (0xffff_ffffn << 32n);
  t.is(offset, symbol(kernel, "page_fault_or_syscall"));
});

test("syscall_table: every row leads where `served` says, every other number to sys_enosys", (t) => {
  const table = symbol(kernel, "syscall_table");
  const rows = new Map<number, (typeof SYSCALLS)[number]>(SYSCALLS.map((row) => [row.nr, row]));
  const last = Math.max(...rows.keys());
  for (let nr = 0; nr <= last; nr++) {
    const handler = qword(kernel, table + BigInt(nr * 8));
    const row = rows.get(nr);
    const name =
      row === undefined
        ? "sys_enosys"
        : row.served === "host"
          ? "sys_host"
          : row.served === "kernel"
            ? `sys_${row.name}`
            : `sys_returns_${row.served.constant < 0 ? `minus_${-row.served.constant}` : row.served.constant}`;
    const expected = name === "sys_enosys" ? enosys(kernel) : symbol(kernel, name);
    t.is(handler, expected, `${nr} ${name}`);
  }
});

/** `sys_enosys` is a label like any other. */
function enosys(image: KernelImage): bigint {
  return symbol(image, "sys_enosys");
}

test("syscall_table: a plugin's number leads to sys_host, its neighbours to sys_enosys", (t) => {
  const image = buildKernel({ plugins: [plugin(0x1003)] });
  const table = symbol(image, "syscall_table");
  const entry = (nr: number) => qword(image, table + BigInt(nr * 8));
  t.is(entry(0x1003), symbol(image, "sys_host"));
  for (const nr of [0x1000, 0x1002, 0xfff]) t.is(entry(nr), symbol(image, "sys_enosys"));
  t.deepEqual(image.hypercalls, [plugin(0x1003)]);
});

for (const nr of [0, 0xfff, 0x2000, 4096.5, Number.NaN, -1]) {
  test(`buildKernel: a plugin's hypercall with number ${nr} is refused`, (t) => {
    const error = t.throws(() => buildKernel({ plugins: [plugin(nr)] }), { instanceOf: KernelBuildError });
    t.is(error?.code, "ERR_KERNEL_PLUGIN_NUMBER");
    t.deepEqual(error?.hypercall, { name: "clock_now", nr });
  });
}

test("buildKernel: two hypercalls with one number are refused, naming both", (t) => {
  const error = t.throws(() => buildKernel({ plugins: [plugin(0x1000, "a"), plugin(0x1000, "b")] }));
  t.is((error as KernelBuildError).code, "ERR_KERNEL_PLUGIN_DUPLICATE");
  t.regex(error!.message, /a and b/);
});

test("SYSCALLS: numbers and names are unique", (t) => {
  t.is(new Set(SYSCALLS.map(({ nr }) => nr)).size, SYSCALLS.length);
  t.is(new Set(SYSCALLS.map(({ name }) => name)).size, SYSCALLS.length);
});
