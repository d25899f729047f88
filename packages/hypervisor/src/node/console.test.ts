/** The console over real descriptors: what pipes do, and what ends a guest that waits for one. */
import { execFileSync, spawn } from "node:child_process";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { machineTest } from "../internal-testing/accelerators.js";
import { machine, programGuest } from "../internal-testing/guests.js";
import { descriptors } from "../plugins/descriptors.js";
import { process as processPlugin } from "../plugins/process.js";
import type { PluginEntry } from "../vm-options.js";
import { type HostConsoleOptions, console as hostConsole } from "./console.js";

const EXIT = "\nmov edi, eax\nmov eax, 231\nsyscall";
/** read(0, 0x600000, 1 MiB) into memory of its own, then exit with the result. */
const READ = `mov eax, 9
  mov edi, 0x600000
  mov esi, 0x100000
  mov edx, 3
  mov r10d, 0x32
  mov r8, -1
  xor r9d, r9d
  syscall
  xor edi, edi
  mov esi, 0x600000
  mov edx, 0x100000
  xor eax, eax
  syscall`;

function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), "kvmkit-console-"));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

/** Both ends of a pipe in this process. */
function fifo(t: ExecutionContext): {
  readonly path: string;
  readonly reader: number;
  readonly writer: number;
} {
  const path = join(folder(t), "fifo");
  execFileSync("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  return { path, reader, writer };
}

function plugins(options: Partial<HostConsoleOptions>): PluginEntry[] {
  return [
    { plugin: descriptors, grant: "all" },
    { plugin: hostConsole, grant: "all", options },
    { plugin: processPlugin, grant: "all" },
  ];
}

machineTest(
  "console: a read of a pipe that stays open ends at the time limit, and with an abort",
  async (t, accel) => {
    const { reader, writer } = fifo(t);
    const guest = programGuest(READ + EXIT, {
      accel,
      plugins: plugins({ stdin: reader }),
      limits: { wallMs: 30 },
    });
    const here = (await machine(t, guest)).runSync();
    t.deepEqual([here.kind, here.kind === "limit" && here.limit], ["limit", "wall"]);
    const stop = new AbortController();
    setTimeout(() => stop.abort("over"), 20);
    const apart = await (await machine(t, { ...guest, limits: {} })).run({ signal: stop.signal });
    t.is(apart.kind === "aborted" && apart.reason, "over");
    closeSync(writer);
    closeSync(reader);
  },
);

machineTest("console: a read gives what is there, and 0 when the other end closes", async (t, accel) => {
  const { reader, writer } = fifo(t);
  writeSync(writer, "abc");
  closeSync(writer);
  const source = `${READ}\nmov ebx, eax\nxor edi, edi\nmov esi, 0x600000\nmov edx, 9\nxor eax, eax\nsyscall\nshl eax, 4\nadd eax, ebx\n${EXIT}`;
  const result = (
    await machine(t, programGuest(source, { accel, plugins: plugins({ stdin: reader }) }))
  ).runSync();
  t.deepEqual([result.kind, result.kind === "exited" && result.status], ["exited", 3]);
  closeSync(reader);
});

/** write(1, 0x400000, 4096) for ever. */
const YES = "again: mov edi, 1\nmov esi, 0x400000\nmov edx, 4096\nmov eax, 1\nsyscall\njmp again";

machineTest(
  "console: writing to a pipe that nobody reads ends the program as SIGPIPE does",
  async (t, accel) => {
    const { reader, writer } = fifo(t);
    closeSync(reader);
    const result = (
      await machine(t, programGuest(YES, { accel, plugins: plugins({ stdout: writer }) }))
    ).runSync();
    t.deepEqual(
      [result.kind, result.kind === "killed" && [result.signal, result.signalName, result.reason]],
      ["killed", [13, "SIGPIPE", "signal"]],
    );
    closeSync(writer);
  },
);

machineTest("console: a full pipe that nobody empties ends at the time limit", async (t, accel) => {
  const { reader, writer } = fifo(t);
  const guest = programGuest(YES, { accel, plugins: plugins({ stdout: writer }), limits: { wallMs: 50 } });
  const result = (await machine(t, guest)).runSync();
  t.deepEqual([result.kind, result.kind === "limit" && result.limit], ["limit", "wall"]);
  closeSync(reader);
  closeSync(writer);
});

machineTest("console: four MiB through a slow pipe arrive unchanged", async (t, accel) => {
  const path = folder(t);
  execFileSync("mkfifo", [join(path, "fifo")]);
  const slow = `require("fs").createReadStream("fifo", {highWaterMark: 5000}).pipe(require("fs").createWriteStream("out"))`;
  const child = spawn(process.execPath, ["-e", slow], { cwd: path, stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const writer = openSync(join(path, "fifo"), constants.O_RDWR | constants.O_NONBLOCK);
  // Each word its own address; then 4 MiB in one write, far above what a pipe holds.
  const source = `mov eax, 9
    mov edi, 0x10000000
    mov esi, 0x400000
    mov edx, 3
    mov r10d, 0x32
    mov r8, -1
    xor r9d, r9d
    syscall
    mov ecx, 0x100000
  fill: mov [rax], eax
    add rax, 4
    dec ecx
    jnz fill
    mov edi, 1
    mov esi, 0x10000000
    mov edx, 0x400000
    mov eax, 1
    syscall
    shr eax, 20
    ${EXIT}`;
  const result = (
    await machine(t, programGuest(source, { accel, plugins: plugins({ stdout: writer }) }))
  ).runSync();
  t.deepEqual([result.kind, result.kind === "exited" && result.status], ["exited", 4]);
  closeSync(writer);
  await ended;
  const words = new Uint32Array(readFileSync(join(path, "out")).buffer.slice(0));
  t.is(words.length, 2 ** 20);
  t.true(words.every((word, index) => word === 0x1000_0000 + index * 4));
});

machineTest("console: a file as standard input is read to its end", async (t, accel) => {
  const path = join(folder(t), "in");
  writeFileSync(path, "x".repeat(200));
  const fd = openSync(path, "r");
  const result = (
    await machine(t, programGuest(READ + EXIT, { accel, plugins: plugins({ stdin: fd }) }))
  ).runSync();
  t.deepEqual([result.kind, result.kind === "exited" && result.status], ["exited", 200]);
  closeSync(fd);
});
