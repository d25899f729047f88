/** The example plugins under load from a guest: 10,000 calls each, every answer checked by the program that made it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { kvmToolTest, toolTest } from "@kvmkit-internal/test-support";
import test, { type ExecutionContext } from "ava";

const examples = join(dirname(fileURLToPath(import.meta.url)), "..");
const cli = createRequire(import.meta.url).resolve("@kvmkit/cli/package.json");
const folder = mkdtempSync(join(tmpdir(), "kvmkit-examples-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

type Accel = "kvm" | "soft";

/** A test that needs tools, once per accelerator. */
function machineToolTest(
  title: string,
  tools: Readonly<Record<string, string>>,
  body: (t: ExecutionContext, accel: Accel) => Promise<void>,
): void {
  kvmToolTest(`${title}, on kvm`, tools, (t) => body(t, "kvm"));
  toolTest(`${title}, on soft`, tools, (t) => body(t, "soft"));
}

/** Runs a program of an example with its plugin, under a manifest of the test's own. */
async function run(accel: Accel, example: string, options: string, program: string) {
  const name = `${example}-${accel}.toml`;
  const manifest = `[program]\npath = "${join(examples, example, "programs/load.c")}"\n${program}
[[plugin]]\nmodule = "${join(examples, example, "dist/index.js")}"\ngrant = "all"\noptions = ${options}\n`;
  writeFileSync(join(folder, name), manifest);
  const kvm = join(dirname(cli), "bin/kvm.js");
  const child = spawn(process.execPath, [kvm, "run", "--accel", accel, name], { cwd: folder });
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", (data) => {
    said.stdout += data;
  });
  child.stderr.on("data", (data) => {
    said.stderr += data;
  });
  const [status] = await once(child, "close");
  return { status, ...said };
}

const TEN_THOUSAND = { status: 0, stdout: "10000 calls\n", stderr: "" };

machineToolTest(
  "plugin-kv: 10,000 calls; what they committed is in the file",
  { cc: "gcc" },
  async (t, accel) => {
    const file = join(folder, `load-${accel}.db`);
    const options = `{ file = "${file}" }`;
    t.deepEqual(await run(accel, "plugin-kv", options, ""), TEN_THOUSAND);
    const { Store } = await import("@kvmkit-examples/plugin-kv/store");
    const store = new Store({ file, maxBytes: 2 ** 26 });
    // Odd keys were deleted; a value is the key times a constant.
    t.is(store.count(), 1666);
    const value = store.get(new Uint8Array(new Uint32Array([3332]).buffer))!;
    t.is(Buffer.from(value).readBigUInt64LE(), BigInt.asUintN(64, 3332n * 0x9e3779b97f4a7c15n));
    store.close();
  },
);

// Nearly all of its time is the host's, and that is the same on both accelerators.
kvmToolTest("plugin-http: 10,000 requests to a server on loopback", { cc: "gcc" }, async (t) => {
  t.timeout(240_000);
  const seen = { requests: 0 };
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const answer = Buffer.alloc(8);
    answer.writeBigUInt64LE(2n * Buffer.concat(parts).readBigUInt64LE());
    seen.requests++;
    response.end(answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/double`;
  const ran = await run("kvm", "plugin-http", `{ allow = ["${url}"] }`, `args = ["${url}"]`);
  server.close();
  t.deepEqual(ran, TEN_THOUSAND);
  t.is(seen.requests, 10_000);
});

const MUSL = `cc = ["musl-gcc", "-static", "-O2", "-Wall", "-Wextra", "-Werror"]`;

machineToolTest(
  "plugin-metrics: 10,000 calls of a musl program, and their sums",
  { "musl-gcc": "musl-tools" },
  async (t, accel) => {
    const file = join(folder, `load-${accel}.prom`);
    const options = `{ file = "${file}", labels = { vm = "load" } }`;
    t.deepEqual(await run(accel, "plugin-metrics", options, MUSL), TEN_THOUSAND);
    // 2499 rounds: 624 with a fraction of 0, and 625 each with 1/4, 2/4 and 3/4.
    t.is(
      readFileSync(file, "utf8"),
      `# HELP load_rounds_total Rounds.
# TYPE load_rounds_total counter
load_rounds_total{vm="load"} 2499
# HELP load_round The round.\\nOn two lines, with a \\\\.
# TYPE load_round gauge
load_round{vm="load"} -2499
# HELP load_fraction Fractions.
# TYPE load_fraction histogram
load_fraction_bucket{vm="load",le="0.25"} 1249
load_fraction_bucket{vm="load",le="0.5"} 1874
load_fraction_bucket{vm="load",le="0.75"} 2499
load_fraction_bucket{vm="load",le="+Inf"} 2499
load_fraction_sum{vm="load"} 937.5
load_fraction_count{vm="load"} 2499
`,
    );
  },
);
