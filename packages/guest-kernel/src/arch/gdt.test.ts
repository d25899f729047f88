import test from "ava";
import { GDT, SELECTOR, segmentDescriptor } from "./gdt.js";
import { FMASK_VALUE, STAR_VALUE } from "./msr.js";
import { TSS, tssDescriptor } from "./tss.js";

const descriptors = [
  { title: "64-bit kernel code", type: "code", dpl: 0, expected: 0x00af_9b00_0000_ffffn },
  { title: "kernel data", type: "data", dpl: 0, expected: 0x00cf_9300_0000_ffffn },
  { title: "user data", type: "data", dpl: 3, expected: 0x00cf_f300_0000_ffffn },
  { title: "64-bit user code", type: "code", dpl: 3, expected: 0x00af_fb00_0000_ffffn },
] as const;

for (const { title, type, dpl, expected } of descriptors) {
  test(`segmentDescriptor: ${title} is 0x${expected.toString(16)} (SDM Vol. 3A, "Segment Descriptors")`, (t) => {
    t.is(segmentDescriptor({ type, dpl }), expected);
  });
}

test("GDT: each selector finds its descriptor, with its privilege level as RPL", (t) => {
  const at = (selector: number) => GDT[selector >> 3];
  t.is(at(SELECTOR.KERNEL_CODE), segmentDescriptor({ type: "code", dpl: 0 }));
  t.is(at(SELECTOR.KERNEL_DATA), segmentDescriptor({ type: "data", dpl: 0 }));
  t.is(at(SELECTOR.USER_DATA), segmentDescriptor({ type: "data", dpl: 3 }));
  t.is(at(SELECTOR.USER_CODE), segmentDescriptor({ type: "code", dpl: 3 }));
  t.deepEqual([SELECTOR.USER_DATA & 3, SELECTOR.USER_CODE & 3, SELECTOR.KERNEL_CODE & 3], [3, 3, 0]);
});

test("GDT: no descriptor is user code for compatibility mode (L = 0, executable)", (t) => {
  const isCode32 = (d: bigint) => (d >> 43n) & 1n && (d >> 44n) & 1n && !((d >> 53n) & 1n);
  t.deepEqual(GDT.filter(isCode32), []);
});

test("IA32_STAR: SYSCALL loads CS = 0x10, SS = 0x18; SYSRET CS = 0x33, SS = 0x2b", (t) => {
  t.is(STAR_VALUE, 0x0023_0010_0000_0000n);
  const sysret = Number(STAR_VALUE >> 48n);
  t.is((sysret + 16) | 3, SELECTOR.USER_CODE);
  t.is((sysret + 8) | 3, SELECTOR.USER_DATA);
  t.is((Number(STAR_VALUE >> 32n) & 0xffff) + 8, SELECTOR.KERNEL_DATA);
});

test("IA32_FMASK clears TF, IF, DF, IOPL, NT and AC", (t) => {
  t.is(FMASK_VALUE, 0x47700n);
});

test("tssDescriptor: base in three pieces, limit 0x67, present, available 64-bit TSS", (t) => {
  const [low, high] = tssDescriptor(0x1234_5678_9abc_def0n);
  t.is(low, 0x9a00_89bc_def0_0067n);
  t.is(high, 0x1234_5678n);
  t.is(TSS.size - 1, 0x67);
});
