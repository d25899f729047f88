/** Unmodified static programs of two C libraries. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
import { kvmToolTest } from "@kvmkit-internal/test-support";
import type { ExecutionContext } from "ava";

interface Compiler {
  readonly title: string;
  readonly command: string;
  /** Debian package. */
  readonly package: string;
  /** Arguments before and after the source. */
  readonly before: readonly string[];
  readonly after?: readonly string[];
}

const MUSL = "/usr/lib/x86_64-linux-musl";

const COMPILERS: readonly Compiler[] = [
  { title: "musl, static", command: "musl-gcc", package: "musl-tools", before: ["-static"] },
  {
    // The wrapper's own specs make a dynamic program of -static-pie.
    title: "musl, static-pie",
    command: "musl-gcc",
    package: "musl-tools",
    before: [
      ...["-fPIE", "-static", "-Wl,-pie,--no-dynamic-linker", "-nostartfiles"],
      ...[`${MUSL}/rcrt1.o`, `${MUSL}/crti.o`],
    ],
    after: [`${MUSL}/crtn.o`],
  },
  { title: "glibc, static", command: "gcc", package: "gcc", before: ["-static"] },
  { title: "glibc, static-pie", command: "gcc", package: "gcc", before: ["-static-pie"] },
];

interface Program {
  readonly title: string;
  readonly source: string;
  readonly args?: readonly string[];
  readonly output: string;
  readonly outcome: Partial<RunResult>;
}

const exited = (status: number) => ({ kind: "exited", status }) as const;

const PROGRAMS: readonly Program[] = [
  {
    title: "hello",
    source: `#include <stdio.h>
      int main(int argc, char **argv) { printf("hello, %s and %d\\n", argv[1], argc); return 42; }`,
    args: ["world"],
    output: "hello, world and 2\n",
    outcome: exited(42),
  },
  {
    title: "environment, thread-local data and constructors",
    source: `#include <stdio.h>
      #include <stdlib.h>
      static _Thread_local int local = 7;
      static int constructed;
      __attribute__((constructor)) static void construct(void) { constructed = 1; }
      int main(void) { printf("%s %d %d\\n", getenv("KEY"), local, constructed); return 0; }`,
    output: "value 7 1\n",
    outcome: exited(0),
  },
  {
    title: "memory: a thousand blocks of all sizes, grown, shrunk and freed",
    source: `#include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      int main(void) {
        static char *blocks[1000];
        unsigned long sum = 0, seed = 1;
        for (int round = 0; round < 3; round++) {
          for (int i = 0; i < 1000; i++) {
            seed = seed * 6364136223846793005ul + 1442695040888963407ul;
            unsigned long size = 1 + (seed >> 33) % (i % 100 ? 3000 : 300000);
            blocks[i] = realloc(blocks[i], size);
            if (!blocks[i]) return 1;
            memset(blocks[i], i, size);
            sum += (unsigned char)blocks[i][size - 1];
          }
          for (int i = round; i < 1000; i += 3) { free(blocks[i]); blocks[i] = 0; }
        }
        printf("%lu\\n", sum);
        return 0;
      }`,
    // 3 times the sum of i % 256 for i below 1000.
    output: `${3 * Array.from({ length: 1000 }, (_, i) => i % 256).reduce((a, b) => a + b)}\n`,
    outcome: exited(0),
  },
  {
    title: "floating point is formatted and read back",
    source: `#include <stdio.h>
      #include <stdlib.h>
      int main(void) { printf("%.17g %a %Lg\\n", strtod("0.1", 0), 1.0 / 3, 1.0L / 3); return 0; }`,
    output: "0.10000000000000001 0x1.5555555555555p-2 0.333333\n",
    outcome: exited(0),
  },
  {
    title: "abort",
    source: `#include <stdlib.h>
      int main(void) { abort(); }`,
    output: "",
    outcome: { kind: "killed", signalName: "SIGABRT" },
  },
  {
    title: "a null pointer",
    source: `int main(void) { return *(volatile int *)0; }`,
    output: "",
    outcome: { kind: "killed", signalName: "SIGSEGV", address: 0n },
  },
];

const kernel = (() => {
  const { entry, segments, symbols } = buildKernel();
  return writeElf({ kind: "executable", entry, segments, symbols });
})();

for (const compiler of COMPILERS) {
  kvmToolTest(
    `${compiler.title}: programs run unmodified`,
    { [compiler.command]: compiler.package },
    async (t) => {
      for (const program of PROGRAMS) {
        const image = compile(t, compiler, program.source);
        const { result, output } = await run(image, program.args ?? []);
        t.like(result, program.outcome as object, program.title);
        t.is(output, program.output, program.title);
      }
    },
  );
}

function compile(t: ExecutionContext, { command, before, after = [] }: Compiler, source: string): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), "kvmkit-libc-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, "main.c"), source);
  const args = ["-O1", ...before, "-o", "main", "main.c", ...after];
  const { status, stderr } = spawnSync(command, args, { cwd: directory });
  t.is(status, 0, stderr?.toString());
  return readFileSync(join(directory, "main"));
}

async function run(image: Uint8Array, args: readonly string[]) {
  let output = "";
  const console = {
    plugin: memoryConsole,
    options: {
      onOutput: (_: string, bytes: Uint8Array) => {
        output += Buffer.from(bytes).toString();
      },
    },
    grant: "all" as const,
  };
  const others = [descriptors, memoryFiles, processPlugin, clock, random].map((plugin) => ({
    plugin,
    grant: "all" as const,
  }));
  const vm = await createVm({
    accel: "kvm",
    memoryBytes: 32 * 2 ** 20,
    boot: { protocol: "kvmkit", kernel },
    program: { image, path: "/main", args: ["/main", ...args], env: { KEY: "value" } },
    plugins: [console, ...others],
    limits: { wallMs: 60_000 },
  });
  try {
    return { result: vm.runSync(), output };
  } finally {
    vm.close();
  }
}
