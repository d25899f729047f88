#!/usr/bin/env node
/**
 * Random calls against every built-in plugin and the example plugins, without a machine.
 *
 *   node scripts/fuzz-hypercalls.mjs [--seed 1] [--count 1000000] [--set NAME]...
 *
 * Found and reported: exceptions that get out, exceptions of handlers that became -EIO, writes outside of guest memory,
 * content of files and servers that are not granted, changed files outside of the grants, descriptors and heap that stay.
 * Ends with status 1 where there is any. The same seed makes the same calls.
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as builtIn from "../dist/index.js";
import { files } from "../dist/node/index.js";
import { fuzzHypercalls } from "../dist/testing/index.js";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc");

const SECRET = "what no guest may see";
const CHUNK = 20_000;
/** What V8 keeps of compiled code and caches between two measurements. */
const HEAP_NOISE = 4 * 2 ** 20;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "1000000" },
    set: { type: "string", multiple: true, default: [] },
  },
});
const seed = Number(values.seed);
const folder = mkdtempSync(join(tmpdir(), "kvmkit-fuzz-"));

const { descriptors, memoryConsole, memoryFiles, process: processPlugin } = builtIn;
const program = [
  { plugin: descriptors, grant: "all", options: { openFiles: 64 } },
  { plugin: memoryConsole, grant: "all", options: { onOutput: () => {} } },
  { plugin: processPlugin, grant: "all" },
  { plugin: builtIn.clock, grant: "all" },
  { plugin: builtIn.random, grant: "all" },
];

/** Name -> makes grants, texts worth passing, and a check for the end. */
const SETS = {
  "built-ins": async () => ({
    grants: [
      ...program,
      { plugin: memoryFiles, grant: "all", options: { files: { "/etc/hosts": "x" }, tmpBytes: 65_536 } },
      { plugin: builtIn.debugConsole, grant: "all" },
      { plugin: builtIn.foreignHost, grant: "all" },
      { plugin: builtIn.calls, grant: "all" },
    ],
    texts: ["/etc/hosts", "/tmp/a", "/tmp/../etc/hosts", "/tmp/"],
  }),
  "host files": hostFiles,
  "plugin-kv": async () => {
    const { default: plugin } = await import(example("plugin-kv"));
    return { grants: [{ plugin, grant: "all", options: { maxBytes: 2 ** 20 } }] };
  },
  "plugin-http": http,
  "plugin-metrics": async () => {
    const { default: plugin } = await import(example("plugin-metrics"));
    return {
      grants: [{ plugin, grant: "all", options: { maxMetrics: 50 } }],
      texts: ["a_total", "b", "c_sum"],
    };
  },
};

function example(name) {
  return new URL(`../../../examples/${name}/dist/index.js`, import.meta.url).href;
}

/** Two mounts, one of them writable, with links and names that lead out of them. */
async function hostFiles() {
  const [ro, rw, outside] = ["ro", "rw", "outside"].map((name) => join(folder, name));
  for (const path of [ro, rw, outside]) mkdirSync(path);
  writeFileSync(join(outside, "secret"), SECRET);
  writeFileSync(join(ro, "file"), "readable");
  for (const path of [ro, rw]) {
    symlinkSync("../outside/secret", join(path, "relative"));
    symlinkSync(join(outside, "secret"), join(path, "absolute"));
    symlinkSync(outside, join(path, "folder"));
    symlinkSync("loop", join(path, "loop"));
  }
  const before = listing(ro, outside);
  const mounts = [
    { guest: "/ro", host: ro },
    { guest: "/rw", host: rw, mode: "rw" },
  ];
  const names = [
    "",
    "file",
    "relative",
    "absolute",
    "folder/secret",
    "folder",
    "loop",
    "new",
    "../outside/secret",
  ];
  return {
    grants: [...program, { plugin: files, grant: "all", options: { mounts, fileBytes: 65_536 } }],
    texts: [
      ...["/ro", "/rw"].flatMap((mount) => names.map((name) => `${mount}/${name}`)),
      "/rw/../../outside/secret",
      join(outside, "secret"),
      "/proc/self/exe",
      "/proc/self/cwd/outside/secret",
    ],
    secrets: [SECRET],
    finish: () => (listing(ro, outside) === before ? [] : ["files outside of the writable mount changed"]),
  };
}

/** Names and contents below folders. */
function listing(...paths) {
  const list = paths.flatMap((path) =>
    readdirSync(path, { withFileTypes: true }).map((entry) => {
      const file = join(path, entry.name);
      return [file, entry.isFile() ? readFileSync(file, "utf8") : "link"];
    }),
  );
  return JSON.stringify(list);
}

/** A server on the list, and one that is not. */
async function http() {
  const { default: plugin } = await import(example("plugin-http"));
  const asked = [];
  const secret = await listening(
    createServer((request, response) => response.end(SECRET, asked.push(request.url))),
  );
  const open = await listening(
    createServer((request, response) => {
      request.resume();
      if (request.url === "/api/out") response.writeHead(302, { location: secret.url });
      response.end("answer");
    }),
  );
  return {
    grants: [{ plugin, grant: "all", options: { allow: [`${open.url}/api`], maxRequests: 1e9 } }],
    texts: [
      `${open.url}/api/a`,
      `${open.url}/api/out`,
      `${open.url}/other`,
      secret.url,
      `${open.url}@${secret.url.slice(7)}/api`,
      `${secret.url}/api#${open.url}`,
      "http://[",
      "file:///etc/passwd",
    ],
    secrets: [SECRET],
    finish: () => {
      for (const { server } of [open, secret]) {
        server.closeAllConnections();
        server.close();
      }
      return asked.length === 0 ? [] : [`${asked.length} requests to a server that is not on the list`];
    },
  };
}

async function listening(server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

const say = (line) => process.stdout.write(`${line}\n`);

/** What stays after collection: buffers are given back by a thread of V8's own, some time after it. */
async function heapBytes() {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { heapUsed, external } = process.memoryUsage();
    least = Math.min(least, heapUsed + external);
  }
  return least;
}
const openDescriptors = () => readdirSync("/proc/self/fd").length;

async function runSet(name, calls) {
  const { finish = () => [], grants, ...options } = await SETS[name]();
  const total = { results: 0, errors: 0, outcomes: 0, ports: 0 };
  const findings = [];
  const started = performance.now();
  let before;
  for (let done = 0; done < calls; ) {
    const count = Math.min(CHUNK, calls - done);
    const report = await fuzzHypercalls(grants, { ...options, calls: count, seed: seed + done });
    for (const key of Object.keys(total)) total[key] += report[key];
    for (const found of report.escapes) {
      const registers = found.registers.map((value) => `0x${value.toString(16)}`).join(" ");
      const where = `seed ${seed + done}, call ${found.call}: ${found.hypercall} ${registers}`;
      findings.push(`${where}: ${found.reason}`);
    }
    for (const [message, times] of report.handlerFailures) findings.push(`${times} times: ${message}`);
    done += count;
    // The first chunk compiles and warms up.
    before ??= { heap: await heapBytes(), descriptors: openDescriptors() };
  }
  const grown = (await heapBytes()) - before.heap;
  const opened = openDescriptors() - before.descriptors;
  findings.push(...finish());
  if (grown > HEAP_NOISE) findings.push(`the heap grew by ${(grown / 2 ** 20).toFixed(1)} MiB`);
  // Connections that are kept alive come and go.
  if (opened > 8) findings.push(`${opened} descriptors stayed open`);
  const seconds = (performance.now() - started) / 1000;
  const { results, errors, outcomes, ports } = total;
  say(
    `${name.padEnd(15)} ${calls} calls in ${seconds.toFixed(0)} s: ${results} results, ${errors} errors, ${outcomes} ends of a run, ${ports} of ports; heap ${(grown / 2 ** 20).toFixed(1)} MiB, descriptors ${opened}, findings ${findings.length}`,
  );
  for (const finding of findings.slice(0, 20)) say(`  ${finding}`);
  return findings.length;
}

try {
  const names = values.set.length > 0 ? values.set : Object.keys(SETS);
  const calls = Math.ceil(Number(values.count) / names.length);
  say(`seed ${seed}, ${calls * names.length} calls`);
  let findings = 0;
  for (const name of names) findings += await runSet(name, calls);
  process.exitCode = findings === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
