import test from "ava";
import { VmError } from "../errors.js";
import { plainMemory } from "../internal-testing/memory.js";
import { layOutFlat } from "./flat.js";

const MIB = 2 ** 20;
const HLT = Uint8Array.of(0xf4);

test("layOutFlat: `long` is the state that kernels of another small KVM host expect", (t) => {
  const memory = plainMemory(4 * MIB);
  const image = Uint8Array.of(1, 2, 3);
  const start = layOutFlat(memory, { protocol: "long", image, args: ["/bin/prog", "arg"] });
  t.deepEqual([...memory.read(0, 3)], [1, 2, 3]);
  t.is(start.mode, "long");
  t.is(start.pageTableRoot, 0x1f_7000);
  t.is(memory.u64(0x1f_7000), 0x1f_8007n);
  t.is(memory.u64(0x1f_8000), 0x1f_9007n);
  t.is(memory.u64(0x1f_9000), 0x83n);
  t.is(memory.u64(0x1f_9008), 0n);
  const { rip, rdi, rsi, rsp } = start.registers;
  t.deepEqual([rip, rdi, rsi], [0n, 0x20_0000n, 0x20_0000n]);
  t.is(rsp! % 16n, 0n);
  t.is(memory.u64(Number(rsp)), 2n);
  const [first, second] = [memory.u64(Number(rsp) + 8), memory.u64(Number(rsp) + 16)];
  t.is(memory.u64(Number(rsp) + 24), 0n);
  t.is(new TextDecoder().decode(memory.read(Number(first), 10)), "/bin/prog\0");
  t.is(new TextDecoder().decode(memory.read(Number(second), 4)), "arg\0");
  t.true(rsp! > 0x1f_c000n);
});

test("layOutFlat: the stack's lower half stays the kernel's, longer arguments are refused", (t) => {
  const image = HLT;
  const args = ["x".repeat(9000)];
  t.throws(() => layOutFlat(plainMemory(4 * MIB), { protocol: "long", image, args }), {
    instanceOf: VmError,
    code: "ERR_VM_PROGRAM_ARGUMENTS",
  });
});

test("layOutFlat: load, entry and registers are the caller's", (t) => {
  const memory = plainMemory(4 * MIB);
  const registers = { rbx: 7n, rdi: 1n };
  const start = layOutFlat(memory, {
    protocol: "long",
    image: HLT,
    load: 0x1000n,
    entry: 0x1000n,
    registers,
  });
  t.is(memory.u32(0x1000), 0xf4);
  t.is(start.registers.rip, 0x1000n);
  t.is(start.registers.rbx, 7n);
  t.is(start.registers.rdi, 1n);
});

test("layOutFlat: the entry is the load address unless said otherwise", (t) => {
  const start = layOutFlat(plainMemory(MIB), { protocol: "real", image: HLT, load: 0x7c00n });
  t.is(start.registers.rip, 0x7c00n);
});

const refused: [string, Parameters<typeof layOutFlat>[1], RegExp][] = [
  ["an empty image", { protocol: "real", image: new Uint8Array() }, /size is 0/],
  ["an image longer than memory", { protocol: "real", image: new Uint8Array(MIB + 1) }, /size is 1048577/],
  [
    "a long-mode image that reaches the page tables",
    { protocol: "long", image: new Uint8Array(0x1f_7001) },
    /allowed: 1 to 2060288 bytes/,
  ],
  ["a load address outside", { protocol: "protected", image: HLT, load: 1n << 40n }, /load is 0x10000000000/],
  ["an entry that ip cannot hold", { protocol: "real", image: HLT, entry: 0x1_0000n }, /entry is 0x10000/],
  ["a negative entry", { protocol: "real", image: HLT, entry: -1n }, /entry is -0x1/],
];

for (const [title, boot, message] of refused) {
  test(`layOutFlat: ${title} is refused, naming the field`, (t) => {
    const memory = plainMemory(boot.protocol === "long" ? 4 * MIB : MIB);
    t.throws(() => layOutFlat(memory, boot), { instanceOf: VmError, code: "ERR_VM_IMAGE", message });
  });
}
