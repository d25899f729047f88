/** A plugin with one hypercall, its test, and two programs that call it. */
import { GITIGNORE, json, manifest } from "./common-files.js";
import type { TemplateFacts } from "./scaffold.js";

export function pluginTemplate({ name, version }: TemplateFacts): Readonly<Record<string, string>> {
  const call = `${name.replaceAll("-", "_")}_greet`;
  return {
    "README.md": readme(name, call),
    "package.json": packageJson(name, version),
    "tsconfig.json": TSCONFIG,
    ".gitignore": GITIGNORE,
    "src/index.ts": pluginSource(name, call),
    "src/index.test.ts": testSource(call),
    "programs/main.c": cProgram(call),
    "programs/main.s": assemblyProgram(call),
    "vm.toml": manifest("programs/main.c", `\n${GRANT}\n[workspace]\nmembers = ["assembly.toml"]\n`),
    "assembly.toml": manifest("programs/main.s", `\n${GRANT}`),
  };
}

const GRANT = `[[plugin]]
module = "./dist/index.js"
grant = "all"
`;

const packageJson = (name: string, version: string): string =>
  json({
    name,
    version: "0.1.0",
    private: true,
    type: "module",
    exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } },
    files: ["dist", "!dist/.tsbuildinfo"],
    scripts: {
      build: "tsc && kvm build",
      test: "tsc && node --test dist/index.test.js",
      start: "tsc && kvm run",
      "start:assembly": "tsc && kvm run assembly.toml",
    },
    dependencies: { "@kvmkit/hypervisor": version },
    devDependencies: { "@kvmkit/cli": version, "@types/node": "^20.19.0", typescript: "^5.9.3" },
  });

const TSCONFIG = json({
  compilerOptions: {
    target: "es2022",
    module: "nodenext",
    lib: ["es2023", "esnext.disposable"],
    types: ["node"],
    rootDir: "src",
    outDir: "dist",
    incremental: true,
    tsBuildInfoFile: "dist/.tsbuildinfo",
    declaration: true,
    strict: true,
    skipLibCheck: true,
  },
  include: ["src"],
});

const pluginSource = (
  name: string,
  call: string,
): string => `/** The plugin: each hypercall's arguments, errors and handler, in one definition. */
import { definePlugin, errno, t } from "@kvmkit/hypervisor";

export default definePlugin({
  name: "${name}",
  version: "0.1.0",
  abi: 1,
  hypercalls: {
    ${call}: {
      doc: "Writes a greeting for \`name\` into \`text\`; the result is its length in bytes.",
      args: { name: t.cstring(64), text: t.buffer.out(256) },
      errors: ["EINVAL", "ERANGE"],
      handle(_ctx, { name, text }) {
        if (name === "") throw errno("EINVAL");
        const greeting = new TextEncoder().encode(\`Hello, \${name}: the host greets you.\\n\`);
        if (greeting.length > text.length) throw errno("ERANGE");
        return text.write(greeting);
      },
    },
  },
});
`;

const testSource = (call: string): string => `/** The handler without a machine: arguments in, result out. */
import assert from "node:assert/strict";
import test from "node:test";
import { PluginHarness } from "@kvmkit/hypervisor/testing";
import plugin from "./index.js";

const EINVAL = 22n;

test("${call} writes a greeting, and returns its length", () => {
  using harness = new PluginHarness([{ plugin, grant: "all" }]);
  const text = harness.allocate(256);
  const length = harness.call("${call}", harness.put("guest"), text, 256);
  assert.equal(length, 35n);
  assert.equal(Buffer.from(harness.read(text, 35)).toString(), "Hello, guest: the host greets you.\\n");
});

test("${call} refuses an empty name", () => {
  using harness = new PluginHarness([{ plugin, grant: "all" }]);
  assert.equal(harness.call("${call}", harness.put(""), harness.allocate(256), 256), -EINVAL);
});
`;

const cProgram = (
  call: string,
): string => `/* Both headers are made by kvm build, in .kvmkit/include; hypercalls.h is made from the plugin. */
#include "freestanding.h"
#include "hypercalls.h"

int main(int argc, char **argv)
{
  char text[256];
  int64_t length = ${call}(argc > 1 ? argv[1] : "C program", text, sizeof text);
  if (kvmkit_failed(length)) {
    kvmkit_print("${call} failed: ");
    kvmkit_print_number(length);
    kvmkit_print("\\n");
    return 1;
  }
  kvmkit_write(1, text, (size_t)length);
  return 0;
}
`;

const assemblyProgram = (
  call: string,
): string => `# A hypercall is called as a system call is: the number in rax, arguments in rdi, rsi, rdx, r10, r8, r9; a buffer takes
# two of them, its address and its size. hypercalls.inc is made by kvm build from the plugin.

        .include "hypercalls.inc"
        .set SYS_write, 1
        .set SYS_exit_group, 231

        .text
        .globl _start
_start: mov eax, SYS_${call}
        lea rdi, [rip + name]
        lea rsi, [rip + text]
        mov edx, 256
        syscall
        test rax, rax
        js failed

        mov edx, eax                    # write(1, text, length)
        mov eax, SYS_write
        mov edi, 1
        lea rsi, [rip + text]
        syscall
        xor edi, edi
        jmp exit

failed: mov edi, 1
exit:   mov eax, SYS_exit_group
        syscall

        .section .rodata
name:   .asciz "assembly program"

        .bss
text:   .skip 256
`;

const readme = (name: string, call: string): string => `# ${name}

A kvmkit plugin: host functions in TypeScript that a program in a virtual machine calls as it calls its kernel.

\`\`\`sh
npm install
npm test                    # the handler, without a machine
npm start                   # programs/main.c
npm start -- -- reader      # with an argument for the program
npm run start:assembly      # programs/main.s
\`\`\`

[src/index.ts](src/index.ts) is the only definition of \`${call}\`: from it come the checks of what the guest passes, the
handler's types, the number, and the files that \`kvm build\` writes to \`.kvmkit/include\`: a C header, an include for
assembly, a Rust module and a reference page. The numbers are recorded in \`kvm.lock.json\`: commit it.

A C program needs a C compiler (Debian, Ubuntu: \`apt-get install gcc\`). The assembler is kvmkit's own.
`;
