/** Built-in plugins have no private door: a manifest leaves one out, or brings another in its place. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { kvmTest } from "@kvmkit-internal/test-support";
import { KVM, kvm, scratchFolder } from "./kvm.js";

const root = scratchFolder();

/** Each system call that the host serves, with harmless arguments; its result becomes the exit status. */
const CALLS: Readonly<Record<string, readonly [plugin: string, source: string, whole: number]>> = {
  read: ["descriptors", "xor eax, eax\nmov edi, 9\n", 9],
  getrandom: ["random", "mov eax, 318\nlea rdi, [rip + room]\nmov esi, 4\nxor edx, edx\n", 4],
  clock_gettime: ["clock", "mov eax, 228\nxor edi, edi\nlea rsi, [rip + room]\n", 0],
  open: ["files", "mov eax, 2\nlea rdi, [rip + path]\nxor esi, esi\n", 2],
};
const ENOSYS = 38;

function project(
  name: string,
  source: string,
  manifest: string,
  files: Readonly<Record<string, string>> = {},
) {
  const cwd = join(root, name);
  mkdirSync(join(cwd, "node_modules/@kvmkit"), { recursive: true });
  const hypervisor = join(dirname(KVM), "../node_modules/@kvmkit/hypervisor");
  symlinkSync(hypervisor, join(cwd, "node_modules/@kvmkit/hypervisor"));
  const program = `.text\n.globl _start\n_start:\n${source}syscall\nmov rdi, rax\nneg rax\ncmovns rdi, rax\nmov eax, 60\nsyscall\n.data\npath: .asciz "/none"\nroom: .skip 64\n`;
  writeFileSync(join(cwd, "main.s"), program);
  writeFileSync(join(cwd, "vm.toml"), `[program]\npath = "main.s"\n${manifest}`);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(cwd, file), text);
  return { cwd };
}

for (const [call, [plugin, source, whole]] of Object.entries(CALLS)) {
  kvmTest(`built-ins: ${plugin} serves ${call}, and without its grant that is -ENOSYS`, async (t) => {
    t.is((await kvm(["run"], project(`${call}-whole`, source, ""))).status, whole);
    const without = `[[plugin]]\nmodule = "${plugin}"\ngrant = []\n`;
    t.is((await kvm(["run"], project(`${call}-without`, source, without))).status, ENOSYS);
  });
}

const OWN_RANDOM = `import { definePlugin, t } from "@kvmkit/hypervisor";
export default definePlugin({
  name: "NAME", version: "1.0.0", abi: 1,
  hypercalls: {
    getrandom: {
      syscall: "getrandom",
      args: { buf: t.buffer.out(256), flags: t.u32 },
      handle: (_ctx, { buf }) => buf.write(new Uint8Array(buf.length).fill(7)) + 10,
    },
  },
});
`;

for (const [title, name, rest] of [
  ["of the same name", "random", ""],
  ["of another name, where the built-in is left out", "dice", `[[plugin]]\nmodule = "random"\ngrant = []\n`],
] as const) {
  kvmTest(`built-ins: a plugin ${title} serves the system call in place of random`, async (t) => {
    const manifest = `${rest}[[plugin]]\nmodule = "./own.mjs"\ngrant = "all"\n`;
    const files = { "own.mjs": OWN_RANDOM.replace("NAME", name) };
    const ran = await kvm(["run"], project(`own-${name}`, CALLS["getrandom"]![1], manifest, files));
    t.deepEqual(ran, { status: 14, stdout: "", stderr: "" });
  });
}

kvmTest("built-ins: two plugins that serve one system call are refused, and both are named", async (t) => {
  const manifest = `[[plugin]]\nmodule = "./own.mjs"\ngrant = "all"\n`;
  const files = { "own.mjs": OWN_RANDOM.replace("NAME", "dice") };
  const ran = await kvm(["run"], project("two", CALLS["getrandom"]![1], manifest, files));
  t.is(ran.status, 125);
  t.regex(
    ran.stderr,
    /random\.getrandom and dice\.getrandom both claim hypercall number 318.*ERR_VM_PLUGIN_CLASH/,
  );
});
