import { readElf } from "@kvmkit/elf";
import { buildKernel } from "@kvmkit/guest-kernel";
import { KERNEL_DATA_GPA, KERNEL_TEXT_GPA } from "@kvmkit/guest-kernel/abi";
import test from "ava";
import { makeKernel } from "./kernel.js";

test("the kernel's ELF file holds what guest-kernel built, at its physical addresses", async (t) => {
  const image = buildKernel();
  const elf = readElf(await makeKernel([]));
  t.is(elf.header.e_entry, image.entry);
  const loads = elf.segments.filter(({ p_memsz, p_paddr }) => p_memsz > 0n && p_paddr > 0n);
  t.deepEqual(
    loads.map(({ p_paddr }) => p_paddr),
    [KERNEL_TEXT_GPA, KERNEL_DATA_GPA],
  );
  loads.forEach((segment, index) => {
    t.deepEqual(elf.segmentData(segment), image.segments[index]!.bytes);
  });
});

test("every function of the kernel has its symbol, so that a panic can name it", async (t) => {
  const { symbols } = buildKernel();
  const table = readElf(await makeKernel([])).symbols!;
  const names = new Set(Array.from({ length: table.length }, (_, index) => table.name(index)));
  t.deepEqual(
    symbols.map(({ name }) => name).filter((name) => !names.has(name)),
    [],
  );
});

test("the same kernel twice is the same bytes", async (t) => {
  t.deepEqual(await makeKernel([]), await makeKernel([]));
});
