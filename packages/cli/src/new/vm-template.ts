/** A program in C and one in assembly, their manifests, and a test of what they print. */
import { GITIGNORE, json, manifest } from "./common-files.js";
import type { TemplateFacts } from "./scaffold.js";

export const vmTemplate = ({ name, version }: TemplateFacts): Readonly<Record<string, string>> => ({
  "README.md": readme(name),
  "package.json": packageJson(name, version),
  ".gitignore": GITIGNORE,
  "programs/main.c": C_PROGRAM,
  "programs/main.s": ASSEMBLY_PROGRAM,
  "test/programs.test.js": TEST,
  "vm.toml": manifest("programs/main.c", `${LIMITS}\n[workspace]\nmembers = ["assembly.toml"]\n`),
  "assembly.toml": manifest("programs/main.s", LIMITS),
});

/** What an untrusted program must not run without. */
const LIMITS = `args = ["reader"]

# The program sees no file of the host. To give it a folder, which it may only read:
# [[mount]]
# host = "data"
# guest = "/data"

[limits]
wall = "10s"
`;

const packageJson = (name: string, version: string): string =>
  json({
    name,
    version: "0.1.0",
    private: true,
    type: "module",
    scripts: {
      build: "kvm build",
      test: "node --test test/programs.test.js",
      start: "kvm run",
      "start:assembly": "kvm run assembly.toml",
    },
    devDependencies: { "@kvmkit/cli": version },
  });

const C_PROGRAM = `/* Made by kvm build: a start and a few functions for programs without a C library. */
#include "freestanding.h"

int main(int argc, char **argv)
{
  kvmkit_print("Hello, ");
  kvmkit_print(argc > 1 ? argv[1] : "nobody");
  kvmkit_print(": this is C, in a virtual machine of its own.\\n");
  return 0;
}
`;

const ASSEMBLY_PROGRAM = `# Linux's system calls, by Linux's numbers.
        .set SYS_write, 1
        .set SYS_exit_group, 231

        .section .rodata
text:   .ascii "Hello: this is assembly, in a virtual machine of its own.\\n"
        .set text_size, . - text

        .text
        .globl _start
_start: mov eax, SYS_write
        mov edi, 1
        lea rsi, [rip + text]
        mov edx, text_size
        syscall
        mov eax, SYS_exit_group
        xor edi, edi
        syscall
`;

const TEST = `/** Each program prints what it should, and ends with status 0. \`npm test\` puts kvm on the PATH. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";

const run = (...args) => execFileSync("kvm", ["run", ...args], { encoding: "utf8" });

test("the C program greets whom its arguments name", () => {
  assert.equal(run(), "Hello, reader: this is C, in a virtual machine of its own.\\n");
});

test("the assembly program greets", () => {
  assert.equal(run("assembly.toml"), "Hello: this is assembly, in a virtual machine of its own.\\n");
});
`;

const readme = (name: string): string => `# ${name}

A Linux program in a virtual machine of its own, by kvmkit. [vm.toml](vm.toml) says what it may have: memory, time,
files. What it does not say, the program does not get.

\`\`\`sh
npm install
npm test
npm start                   # programs/main.c
npm run start:assembly      # programs/main.s
npx kvm run --explain       # what the program is granted
\`\`\`

A C program needs a C compiler (Debian, Ubuntu: \`apt-get install gcc\`). The assembler is kvmkit's own. Any static
x86-64 executable runs too: name it in \`path\`.
`;
