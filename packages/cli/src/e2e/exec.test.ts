import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kvmTest, kvmToolTest } from "@kvmkit-internal/test-support";
import { finished, KVM, kvm, machineTest, program, STACK_TRACE, scratchFolder } from "./kvm.js";

const dir = scratchFolder();
const hello = program("hello");
const echo = program("echo");
const cat = program("cat");
const fault = program("fault");
const open = program("open");

machineTest("exec: a static program prints and ends with 0, and kvmkit says nothing", async (t, { kvm }) => {
  t.deepEqual(await kvm(["exec", hello]), { status: 0, stdout: "hello\n", stderr: "" });
});

kvmTest("kvm PATH is kvm exec PATH", async (t) => {
  t.deepEqual(await kvm(["./hello"]), { status: 0, stdout: "hello\n", stderr: "" });
  t.deepEqual(await kvm([hello]), { status: 0, stdout: "hello\n", stderr: "" });
});

for (const status of [0, 1, 42, 124, 255]) {
  machineTest(`exec: the program's status ${status} is kvm's`, async (t, { kvm }) => {
    const ran = await kvm(["exec", program("exit-with"), "--", String(status)]);
    t.deepEqual(ran, { status, stdout: "", stderr: "" });
  });
}

machineTest(
  "exec: argv[0] is the path as typed, arguments follow, and nothing of the environment leaks in",
  async (t, { kvm }) => {
    const ran = await kvm(["exec", "./echo", "one", "--", "--two", "-3", ""]);
    t.is(ran.stdout, "./echo\none\n--two\n-3\n\n");
  },
);

machineTest("exec: --env sets variables, in order", async (t, { kvm }) => {
  const ran = await kvm(["exec", "--env", "B=2", "--env", "A=x=y", echo]);
  t.is(ran.stdout, `${echo}\nB=2\nA=x=y\n`);
});

const faults: [string, number, RegExp][] = [
  ["r", 139, /killed by SIGSEGV: it read 0x10, which is not mapped, at rip 0x[0-9a-f]+ <read>/],
  ["w", 139, /killed by SIGSEGV: it wrote to 0x400000, which it may not, at rip/],
  ["x", 139, /killed by SIGSEGV: it executed 0x[0-9a-f]+, which it may not, at rip/],
  ["i", 132, /killed by SIGILL: #UD/],
  ["d", 136, /killed by SIGFPE: #DE/],
  ["p", 139, /killed by SIGSEGV: #GP/],
  ["b", 133, /killed by SIGTRAP: #BP/],
];

for (const [kind, status, message] of faults) {
  machineTest(`exec: a fault (${kind}) ends with 128 + its signal: ${status}`, async (t, { kvm }) => {
    const ran = await kvm(["exec", fault, "--", kind]);
    t.is(ran.status, status, ran.stderr);
    t.regex(ran.stderr, message);
    t.notRegex(ran.stderr, STACK_TRACE);
  });
}

machineTest("exec: a program that loops ends with 124 at --timeout", async (t, { kvm }) => {
  const ran = await kvm(["exec", "--timeout", "200ms", fault, "--", "loop"]);
  t.deepEqual(ran, { status: 124, stdout: "", stderr: "kvm: the time limit of 200ms was reached\n" });
});

machineTest(
  "exec: a program that waits for a pipe that stays open ends with 124 at --timeout",
  async (t, { startKvm }) => {
    const child = startKvm(["exec", "--timeout", "200ms", cat]);
    const ran = await finished(child);
    child.stdin!.destroy();
    t.deepEqual(ran, { status: 124, stdout: "", stderr: "kvm: the time limit of 200ms was reached\n" });
  },
);

machineTest("exec: Ctrl-C ends with 130, quietly", async (t, { startKvm }) => {
  const child = startKvm(["exec", program("ready-then-loop")]);
  const ran = finished(child);
  await once(child.stdout!, "data");
  child.kill("SIGINT");
  t.deepEqual(await ran, { status: 130, stdout: "ready\n", stderr: "" });
});

machineTest("exec: Ctrl-C ends a program that waits for stdin with 130", async (t, { startKvm }) => {
  const child = startKvm(["exec", cat]);
  const ran = finished(child);
  child.stdin!.write("x");
  await once(child.stdout!, "data");
  child.kill("SIGINT");
  t.deepEqual(await ran, { status: 130, stdout: "x", stderr: "" });
});

machineTest("exec: memory that runs out ends with 137", async (t, { kvm }) => {
  const ran = await kvm(["exec", "--memory", "16MiB", program("eat-memory")]);
  t.deepEqual(ran, {
    status: 137,
    stdout: "",
    stderr: "kvm: the program was killed: the machine has no memory left\n",
  });
});

machineTest("exec: stdin ends with EOF", async (t, { kvm }) => {
  t.deepEqual(await kvm(["exec", cat]), { status: 0, stdout: "", stderr: "" });
  t.deepEqual(await kvm(["exec", cat], { input: "a\0b\n" }), { status: 0, stdout: "a\0b\n", stderr: "" });
});

machineTest(
  "exec: a reader that has enough ends the program as SIGPIPE does, quietly",
  async (t, { startKvm }) => {
    const child = startKvm(["exec", program("yes")]);
    const status = once(child, "exit");
    const stderr: Buffer[] = [];
    child.stderr!.on("data", (chunk: Buffer) => stderr.push(chunk));
    await once(child.stdout!, "data");
    child.stdout!.destroy();
    t.deepEqual(await status, [141, null]);
    t.is(Buffer.concat(stderr).toString(), "");
  },
);

const STREAM_BYTES = 100 * 2 ** 20;
const LARGEST_RSS_KIB = 400 * 1024;

machineTest(
  "exec: 100 MiB pass through stdin and stdout unchanged, in bounded memory",
  async (t, { startKvm }) => {
    const child = startKvm(["exec", cat]);
    const sent = createHash("sha256");
    const received = createHash("sha256");
    let bytes = 0;
    let rss = 0;
    child.stdout!.on("data", (chunk: Buffer) => {
      received.update(chunk);
      bytes += chunk.length;
      if (bytes > STREAM_BYTES / 2 && rss === 0) rss = residentKib(child.pid!);
    });
    // Every byte value, and no period that a buffer's size could hide.
    const chunk = Buffer.from(Array.from({ length: 1_000_003 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
    for (let left = STREAM_BYTES; left > 0; left -= chunk.length) {
      const piece = chunk.subarray(0, Math.min(left, chunk.length));
      sent.update(piece);
      if (!child.stdin!.write(piece)) await once(child.stdin!, "drain");
    }
    child.stdin!.end();
    const [status] = await once(child, "close");
    t.is(status, 0);
    t.is(bytes, STREAM_BYTES);
    t.is(received.digest("hex"), sent.digest("hex"));
    t.true(rss < LARGEST_RSS_KIB, `${rss} KiB resident`);
  },
);

/** VmHWM of proc(5): the most that was ever resident. */
function residentKib(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

const O_RDONLY = 0;
const O_WRONLY = 1;
const O_CREAT = 0o100;
mkdirSync(join(dir, "data"));
writeFileSync(join(dir, "data/file"), "x");
writeFileSync(join(dir, "secret"), "x");

const opens: [string, string[], string, number, number][] = [
  ["no mount: nothing of the host exists", [], "/etc/passwd", O_RDONLY, 2],
  ["a mounted file", ["--mount", "data/file:/f"], "/f", O_RDONLY, 0],
  ["a file in a mounted folder", ["--mount", "data:/d"], "/d/file", O_RDONLY, 0],
  ["a mount is read-only", ["--mount", "data:/d"], "/d/file", O_WRONLY, 30],
  ["a mount that is writable", ["--mount", "data:/d:rw"], "/d/new", O_WRONLY | O_CREAT, 0],
  ["no way out of a mount", ["--mount", "data:/d"], "/d/../../secret", O_RDONLY, 2],
  ["/tmp is writable without a mount", [], "/tmp/new", O_WRONLY | O_CREAT, 0],
  ["a relative path starts at --cwd", ["--mount", "data:/d", "--cwd", "/d"], "file", O_RDONLY, 0],
];

for (const [title, options, path, flags, errno] of opens) {
  machineTest(`exec: ${title}: errno ${errno}`, async (t, { kvm }) => {
    const ran = await kvm(["exec", ...options, open, "--", path, String(flags)], { cwd: dir });
    t.deepEqual(ran, { status: errno, stdout: "", stderr: "" });
  });
}

machineTest(
  "exec --json: the result is one line of JSON on stderr, and stdout stays the guest's",
  async (t, { accel, kvm }) => {
    const ran = await kvm(["exec", "--json", hello]);
    t.is(ran.stdout, "hello\n");
    const told = JSON.parse(ran.stderr);
    t.is(told.result.kind, "exited");
    t.is(told.result.status, 0);
    t.is(told.accel, accel);
  },
);

machineTest("exec --timings: phases on stderr", async (t, { kvm }) => {
  const ran = await kvm(["exec", "--timings", hello]);
  t.is(ran.stdout, "hello\n");
  t.regex(ran.stderr, /^ +\d+\.\d ms {2}run$/m);
  t.regex(ran.stderr, /^ +\d+\.\d ms {2}total$/m);
});

kvmToolTest("exec: the host process opens the file that the guest opens", { strace: "strace" }, async (t) => {
  const { spawnSync } = await import("node:child_process");
  const log = join(dir, "strace.log");
  const args = ["-f", "-e", "trace=openat,openat2,open", "-o", log, process.execPath, KVM];
  const target = join(dir, "data/file");
  const ran = spawnSync("strace", [...args, "exec", "--mount", `${target}:/f`, open, "--", "/f", "0"]);
  t.is(ran.status, 0, ran.stderr.toString());
  t.regex(readFileSync(log, "utf8"), /data\/file"|"file"/);
});
