/** What cannot run: the exit status says whose fault it is, the message what to do, and no stack trace is printed. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kvmTest } from "@kvmkit-internal/test-support";
import test from "ava";
import { kvm, program, STACK_TRACE, scratchFolder } from "./kvm.js";

const dir = scratchFolder();
const hello = program("hello");
const image = readFileSync(hello);

/** The program with bytes changed: `[offset, ...bytes]`. */
function damaged(name: string, change: (bytes: Buffer) => Buffer): string {
  const path = join(dir, name);
  writeFileSync(path, change(Buffer.from(image)), { mode: 0o755 });
  return path;
}

function patched(name: string, offset: number, ...bytes: number[]): string {
  return damaged(name, (copy) => {
    copy.set(bytes, offset);
    return copy;
  });
}

/** Offsets in Elf64_Ehdr and the first Elf64_Phdr (gABI, "ELF Header", "Program Header"). */
const PHDR = 64;
const refused: [string, string, RegExp][] = [
  ["an empty file", damaged("empty", () => Buffer.alloc(0)), /ERR_/],
  ["a text", damaged("text", () => Buffer.from("#!/bin/sh\n")), /ELF/],
  ["a truncated header", damaged("short", (bytes) => bytes.subarray(0, 32)), /ends/],
  ["truncated program headers", damaged("no-phdrs", (bytes) => bytes.subarray(0, 80)), /ends/],
  ["a truncated segment", damaged("no-text", (bytes) => bytes.subarray(0, 4100)), /ends|p_filesz|p_offset/],
  ["ELFCLASS32", patched("class32", 4, 1), /EI_CLASS|class/i],
  ["ELFCLASSNONE", patched("class0", 4, 0), /EI_CLASS|class/i],
  ["big-endian", patched("big-endian", 5, 2), /EI_DATA|byte order/i],
  ["another machine (AArch64)", patched("aarch64", 18, 183, 0), /e_machine|machine/i],
  ["an object file", patched("object", 16, 1, 0), /e_type|ET_REL/],
  ["a core file", patched("core", 16, 4, 0), /e_type|ET_CORE/],
  ["program headers beyond the file", patched("phoff", 32, 0, 0, 0, 0, 0, 0, 0, 0x7f), /e_phoff/],
  ["program headers of a wrong size", patched("phentsize", 54, 1, 0), /e_phentsize/],
  ["65,535 program headers", patched("phnum", 56, 0xff, 0xff), /e_phnum|e_phoff/],
  ["no program header", patched("phnum0", 56, 0, 0), /PT_LOAD|load/i],
  [
    "a segment with more file than memory",
    patched("filesz", PHDR + 40, 0, 0, 0, 0, 0, 0, 0, 0),
    /p_filesz|p_memsz/,
  ],
  ["a segment that wraps", patched("wrap", PHDR + 23, 0xff), /p_vaddr|p_memsz/],
  ["a segment in the kernel's half", patched("upper", PHDR + 22, 0x80, 0xff), /p_vaddr/],
  ["a segment of an exabyte", patched("huge", PHDR + 46, 0x10), /p_vaddr.*in memory/],
  ["an alignment that cannot be mapped", patched("offset", PHDR + 8, 1), /p_offset|p_vaddr/],
];

for (const [title, path, message] of refused) {
  test(`refused with 126: ${title}`, async (t) => {
    const ran = await kvm(["exec", "--accel", "soft", path]);
    t.is(ran.status, 126, ran.stderr);
    t.is(ran.stdout, "");
    t.regex(ran.stderr, message);
    t.notRegex(ran.stderr, STACK_TRACE);
  });
}

test("126: a folder, and a file that may not be read", async (t) => {
  mkdirSync(join(dir, "folder"), { recursive: true });
  const folder = await kvm(["exec", join(dir, "folder")]);
  t.is(folder.status, 126);
  t.regex(folder.stderr, /folder.*ERR_PROGRAM_REFUSED/);
});

test("127: a program that is not there", async (t) => {
  const ran = await kvm(["exec", "./none"]);
  t.is(ran.status, 127);
  t.regex(ran.stderr, /^kvm: \.\/none.*ERR_PROGRAM_NOT_FOUND/);
  t.notRegex(ran.stderr, STACK_TRACE);
  t.is((await kvm(["./none"])).status, 127);
});

const AS_ROOT = process.getuid?.() === 0;
const NOBODY = 65534;

const asNobodyTest: typeof kvmTest = (title, body) => {
  if (AS_ROOT) kvmTest(title, body);
  else test.skip(`${title} (skipped: only root can become another user)`, body);
};

asNobodyTest("125: /dev/kvm may not be opened: what it is and how to get it", async (t) => {
  const ran = await kvm(["exec", "--accel", "kvm", hello], { uid: NOBODY, cwd: "/" });
  t.is(ran.status, 125, ran.stderr);
  t.regex(
    ran.stderr,
    /^kvm: \/dev\/kvm, .* exists, but this user may not open it {2}ERR_VM_ACCEL_UNAVAILABLE\n/,
  );
  t.regex(ran.stderr, /^ {5}- sudo usermod -aG kvm \$USER/m);
  t.regex(ran.stderr, /`kvm doctor`/);
  t.notRegex(ran.stderr, STACK_TRACE);
});

const usage: [string, string[], RegExp][] = [
  ["an unknown command", ["biuld"], /no command biuld\. Did you mean build\?/],
  [
    "an unknown option",
    ["exec", "--memroy", "1MiB", hello],
    /unknown option --memroy\. Did you mean --memory\?/,
  ],
  [
    "a wrong unit",
    ["exec", "--memory", "64MB", hello],
    /--memory 64MB: unit MB is not known\. Write "64MiB"/,
  ],
  ["a mount without a guest path", ["exec", "--mount", "/etc", hello], /--mount \/etc: not HOST:GUEST/],
  ["a mount of nothing", ["exec", "--mount", "/none:/x", hello], /does not exist/],
  ["no program", ["exec"], /<program> is missing/],
];

for (const [title, args, message] of usage) {
  test(`125: ${title}`, async (t) => {
    const ran = await kvm(args);
    t.is(ran.status, 125);
    t.regex(ran.stderr, message);
    t.regex(ran.stderr, /ERR_CLI_USAGE\n {5}See `kvm/);
    t.notRegex(ran.stderr, STACK_TRACE);
  });
}
