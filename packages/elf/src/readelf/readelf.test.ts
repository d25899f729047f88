/** formatReadelf beside GNU readelf. `scripts/compare-readelf.mjs` does the same for every file of a system. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { toolTest } from "@kvmkit-internal/test-support";
import test, { type ExecutionContext } from "ava";
import { testdata, testdataBinaries, testdataPath } from "../../scripts/testdata.mjs";
import { readElf } from "../reader.js";
import { formatReadelf, type ReadelfPart } from "./index.js";

const READELF = { readelf: "binutils" };
const SAMPLE_FOLDERS = ["/usr/bin", "/usr/sbin", "/usr/lib/x86_64-linux-gnu"];
const FILES_PER_FOLDER = 15;
const MAX_BYTES = 1_000_000;

function ours(bytes: Uint8Array, parts?: readonly ReadelfPart[]): string {
  return [...formatReadelf(readElf(bytes), parts)].join("");
}

function readelf(path: string, ...options: string[]): string {
  const env = { ...process.env, LC_ALL: "C.UTF-8" };
  return spawnSync("readelf", ["-W", ...options, path], { encoding: "utf8", env, maxBuffer: 1 << 28 }).stdout;
}

/** Compared by lines: a difference of one line in a text of megabytes should be readable. */
function same(t: ExecutionContext, path: string, found: string, expected: string): void {
  t.is(found.length, expected.length, path);
  if (found === expected) return;
  const theirs = expected.split("\n");
  const at = found.split("\n").findIndex((line, i) => line !== theirs[i]);
  t.is(found.split("\n")[at], theirs[at], path);
}

function isElf(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile() || stat.size > MAX_BYTES) return false;
  return readFileSync(path).subarray(0, 4).toString("latin1") === "\x7fELF";
}

/** ELF files spread over a folder, links followed, the same ones each time. */
function sample(folder: string): string[] {
  const names = readdirSync(folder).sort();
  const step = Math.max(1, Math.floor(names.length / (FILES_PER_FOLDER * 4)));
  const spread = names.filter((_, i) => i % step === 0).map((name) => join(folder, name));
  return [...new Set(spread.filter(isElf).map((path) => realpathSync(path)))].slice(0, FILES_PER_FOLDER);
}

for (const folder of SAMPLE_FOLDERS) {
  toolTest(`a sample of ${folder}: everything as readelf prints it`, READELF, (t) => {
    const paths = sample(folder);
    t.true(paths.length > 0, "a folder without ELF files shows nothing");
    for (const path of paths) same(t, path, ours(readFileSync(path)), readelf(path, "-hSlsr", "-n", "-V"));
  });
}

/** readelf explains e_flags and st_other of these machines, which formatReadelf does not. */
const OTHER_MACHINES = /armv7|mips|ppc64|riscv64/;

for (const name of testdataBinaries()) {
  toolTest(`testdata/${name} as readelf prints it`, READELF, (t) => {
    const path = testdataPath(name);
    if (OTHER_MACHINES.test(name)) same(t, path, ours(testdata(name), ["relocations"]), readelf(path, "-r"));
    else same(t, path, ours(testdata(name)), readelf(path, "-hSlsr", "-n", "-V"));
  });
}

test("parts are printed in readelf's order, whatever the order asked for", (t) => {
  const bytes = testdata("program");
  t.is(ours(bytes, ["notes", "header"]), ours(bytes, ["header"]) + ours(bytes, ["notes"]));
  t.regex(ours(bytes, ["header"]), /^ELF Header:\n {2}Magic:/);
});
