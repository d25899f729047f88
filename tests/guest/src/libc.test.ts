/** Unmodified static programs of C and C++, of two C libraries, on both accelerators. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunResult } from "@kvmkit/hypervisor";
import { kvmToolTest, toolTest } from "@kvmkit-internal/test-support";
import type { ExecutionContext } from "ava";
import { runProgram } from "./run-program.js";

interface Compiler {
  readonly title: string;
  readonly language: "c" | "cpp";
  readonly command: string;
  /** Debian package. */
  readonly package: string;
  /** Arguments before and after the source. */
  readonly before: readonly string[];
  readonly after?: readonly string[];
}

const MUSL = "/usr/lib/x86_64-linux-musl";

const COMPILERS: readonly Compiler[] = [
  {
    title: "musl, static",
    language: "c",
    command: "musl-gcc",
    package: "musl-tools",
    before: ["-static"],
  },
  {
    // The wrapper's own specs make a dynamic program of -static-pie.
    title: "musl, static-pie",
    language: "c",
    command: "musl-gcc",
    package: "musl-tools",
    before: [
      ...["-fPIE", "-static", "-Wl,-pie,--no-dynamic-linker", "-nostartfiles"],
      ...[`${MUSL}/rcrt1.o`, `${MUSL}/crti.o`],
    ],
    after: [`${MUSL}/crtn.o`],
  },
  { title: "glibc, static", language: "c", command: "gcc", package: "gcc", before: ["-static"] },
  { title: "glibc, static-pie", language: "c", command: "gcc", package: "gcc", before: ["-static-pie"] },
  { title: "C++, glibc, static", language: "cpp", command: "g++", package: "g++", before: ["-static"] },
];

interface Program {
  readonly title: string;
  /** Default: C. */
  readonly language?: "cpp";
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
    title: "floating point of every size of value, printed and read back",
    source: `#include <stdio.h>
      #include <stdlib.h>
      #include <math.h>
      int main(void) {
        static const double values[] = { 0.0, -0.0, 1e-320, 4.9e-324, 1.5, -2.25, 1e23, 123456789.125, 1.7976931348623157e308 };
        for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
          char text[64];
          snprintf(text, sizeof text, "%.17g", values[i]);
          printf("%s %s %.3e %.1f\\n", text, strtod(text, 0) == values[i] ? "same" : "other", values[i], fmod(values[i], 7));
        }
        volatile double zero = 0;
        printf("%g %g %.20Lf\\n", 1 / zero, -1 / zero, 0.1L);
        return (int)sqrt(1764);
      }`,
    output: [
      "0 same 0.000e+00 0.0",
      "-0 same -0.000e+00 -0.0",
      "9.9998886718268301e-321 same 1.000e-320 0.0",
      "4.9406564584124654e-324 same 4.941e-324 0.0",
      "1.5 same 1.500e+00 1.5",
      "-2.25 same -2.250e+00 -2.2",
      "9.9999999999999992e+22 same 1.000e+23 1.0",
      "123456789.125 same 1.235e+08 1.1",
      "1.7976931348623157e+308 same 1.798e+308 5.0",
      "inf -inf 0.10000000000000000000",
      "",
    ].join("\n"),
    outcome: exited(42),
  },
  {
    title: "exceptions are thrown through frames, and destructors run",
    language: "cpp",
    source: `#include <iostream>
      #include <map>
      #include <stdexcept>
      #include <string>
      #include <vector>
      struct Guard { std::string name; ~Guard() { std::cout << "~" << name << "\\n"; } };
      int sum(const std::vector<int> &values) {
        Guard guard{"sum"};
        int total = 0;
        for (int value : values) { if (value < 0) throw std::out_of_range("negative: " + std::to_string(value)); total += value; }
        return total;
      }
      int main() {
        std::map<std::string, std::vector<int>> table{{"good", {1, 2, 39}}, {"bad", {1, -5}}};
        for (auto &[name, values] : table) {
          try { Guard guard{name}; int total = sum(values); std::cout << name << " " << total << "\\n"; }
          catch (const std::exception &error) { std::cout << error.what() << "\\n"; }
        }
        try { throw 42; } catch (int number) { return number; }
      }`,
    output: "~sum\n~bad\nnegative: -5\n~sum\ngood 42\n~good\n",
    outcome: exited(42),
  },
  {
    title: "an exception that nobody catches",
    language: "cpp",
    source: `#include <stdexcept>
      int main() { throw std::runtime_error("lost"); }`,
    output: "terminate called after throwing an instance of 'std::runtime_error'\n  what():  lost\n",
    outcome: { kind: "killed", signalName: "SIGABRT" },
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

const ACCELERATORS = [
  ["kvm", kvmToolTest],
  ["soft", toolTest],
] as const;

for (const [accel, accelTest] of ACCELERATORS) {
  for (const compiler of COMPILERS) {
    const tools = { [compiler.command]: compiler.package };
    accelTest(`${accel}: ${compiler.title}: programs run unmodified`, tools, async (t) => {
      for (const program of PROGRAMS) {
        if ((program.language ?? "c") !== compiler.language) continue;
        const { result, output } = await runProgram(accel, compile(t, compiler, program.source), {
          argv: ["/main", ...(program.args ?? [])],
        });
        t.like(result, program.outcome as object, program.title);
        t.is(output, program.output, program.title);
      }
    });
  }
}

const compiled = new Map<string, Uint8Array>();

function compile(t: ExecutionContext, compiler: Compiler, source: string): Uint8Array {
  const { title, command, language, before, after = [] } = compiler;
  const known = compiled.get(title + source);
  if (known !== undefined) return known;
  const directory = mkdtempSync(join(tmpdir(), "kvmkit-libc-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, `main.${language}`), source);
  const args = ["-O1", ...before, "-o", "main", `main.${language}`, "-lm", ...after];
  const { status, stderr } = spawnSync(command, args, { cwd: directory });
  t.is(status, 0, stderr?.toString());
  const image = readFileSync(join(directory, "main"));
  compiled.set(title + source, image);
  return image;
}
