/** From the text of a program to what it did: assembler, linker, kernel, machine. */
import { writeElf } from "@kvmkit/elf";
import { buildKernel } from "@kvmkit/guest-kernel";
import {
  createVm,
  descriptors,
  memoryConsole,
  memoryFiles,
  process,
  type RunResult,
} from "@kvmkit/hypervisor";
import { assemble, link } from "@kvmkit/x86-asm";

export interface Guest {
  /** Intel syntax, with GNU as's directives; starts at `_start`. */
  readonly source: string;
  readonly args: readonly string[];
  /** By absolute path. */
  readonly files: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onOutput: (text: string) => void;
}

/** Errors: AsmError for the source, VmError for a program that cannot be run. */
export async function boot({ source, args, files, signal, onOutput }: Guest): Promise<RunResult> {
  const decoder = new TextDecoder();
  const print = (_: string, bytes: Uint8Array): void => onOutput(decoder.decode(bytes, { stream: true }));
  const vm = await createVm({
    accel: "soft",
    memoryBytes: 16 * 2 ** 20,
    boot: { protocol: "kvmkit", kernel: kernelElf() },
    program: { image: programElf(source), path: args[0]!, args },
    plugins: [
      { plugin: descriptors, grant: "all" },
      { plugin: memoryConsole, grant: "all", options: { onOutput: print } },
      { plugin: memoryFiles, grant: "all", options: { files } },
      { plugin: process, grant: "all" },
    ],
  });
  try {
    return await vm.run({ signal });
  } finally {
    vm.close();
  }
}

function kernelElf(): Uint8Array {
  const { entry, segments, symbols } = buildKernel();
  return writeElf({ kind: "executable", entry, segments, symbols });
}

const FIRST_SECTION = 0x40_0000;
/** Room for one section. Each has pages of its own, because each has rights of its own. */
const SECTION_SPACING = 0x10_0000;
const PF = { X: 1, W: 2, R: 4 } as const;

function programElf(source: string): Uint8Array {
  const { object } = assemble(source, { file: "program.s" });
  const origins = Object.fromEntries(
    object.sections.map(({ name }, index) => [name, FIRST_SECTION + index * SECTION_SPACING]),
  );
  const { sections, symbols } = link(object, { origins });
  return writeElf({
    kind: "executable",
    entry: symbols.get("_start")?.address ?? BigInt(FIRST_SECTION),
    segments: sections
      .filter(({ sizeBytes }) => sizeBytes > 0)
      .map(({ address, bytes, sizeBytes, flags }) => ({
        vaddr: address,
        bytes,
        memSizeBytes: BigInt(sizeBytes),
        flags: PF.R | (flags.write ? PF.W : 0) | (flags.execute ? PF.X : 0),
      })),
  });
}
