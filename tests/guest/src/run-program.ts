/** A Linux program under the kernel as it is released, with the built-in plugins in memory. */
import { writeElf } from "@kvmkit/elf";
import { buildKernel } from "@kvmkit/guest-kernel";
import {
  clock,
  createVm,
  descriptors,
  memoryConsole,
  memoryFiles,
  process as processPlugin,
  type RunResult,
  random,
} from "@kvmkit/hypervisor";

export interface ProgramOptions {
  /** From argv[0] on. */
  readonly argv?: readonly string[];
  readonly stdin?: string;
}

export interface ProgramRun {
  readonly result: RunResult;
  /** What it wrote to stdout and stderr, together. */
  readonly output: string;
}

const kernel = (() => {
  const { entry, segments, symbols } = buildKernel();
  return writeElf({ kind: "executable", entry, segments, symbols });
})();

/** Runs an executable as /main, with KEY=value in its environment. */
export async function runProgram(
  accel: "kvm" | "soft",
  image: Uint8Array,
  { argv = ["/main"], stdin = "" }: ProgramOptions,
): Promise<ProgramRun> {
  let output = "";
  const onOutput = (_: string, bytes: Uint8Array): void => {
    output += Buffer.from(bytes).toString("latin1");
  };
  const others = [descriptors, memoryFiles, processPlugin, clock, random];
  const vm = await createVm({
    accel,
    memoryBytes: 32 * 2 ** 20,
    boot: { protocol: "kvmkit", kernel },
    program: { image, path: "/main", args: argv, env: { KEY: "value" } },
    plugins: [
      { plugin: memoryConsole, options: { stdin, onOutput }, grant: "all" },
      ...others.map((plugin) => ({ plugin, grant: "all" as const })),
    ],
    limits: { wallMs: 60_000 },
  });
  try {
    return { result: vm.runSync(), output };
  } finally {
    vm.close();
  }
}
