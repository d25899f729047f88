/**
 * Over every ELF file of this system, or the files and folders that are given: compares `formatReadelf` with
 * GNU readelf 2.40, byte for byte, and the file with what `writeElf(readLayout(file))` makes of it.
 *
 *   node scripts/compare-readelf.mjs [path…]
 */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readElf, readLayout, writeElf } from "../dist/index.js";
import { formatReadelf } from "../dist/readelf/index.js";
import { systemElfFiles } from "./system-files.mjs";

const OPTIONS = ["-W", "-hSlsr", "-n", "-V"];
const BLOCK_BYTES = 1 << 20;

const given = process.argv.slice(2);
const files = given.filter((path) => statSync(path).isFile());
const folders = given.filter((path) => !files.includes(path));
const paths = given.length === 0 ? systemElfFiles() : [...files, ...systemElfFiles(folders)];

const folder = mkdtempSync(join(tmpdir(), "kvmkit-readelf-"));
const count = { same: 0, different: 0, bytes: 0 };
try {
  for (const path of paths) compare(path);
} finally {
  rmSync(folder, { recursive: true });
}
print(`${count.same} same, ${count.different} different, ${count.bytes} bytes of text`);
process.exitCode = count.different === 0 ? 0 : 1;

function compare(path) {
  const expected = expectedText(path);
  const elf = readElf(readFileSync(path));
  const difference = firstDifference(elf, expected.fd) ?? layoutDifference(elf);
  if (difference === undefined) count.same++;
  else {
    count.different++;
    print(`${path}: ${difference}${expected.complaint}`);
  }
  count.bytes += fstatSync(expected.fd).size;
  closeSync(expected.fd);
}

function expectedText(path) {
  const out = join(folder, "expected");
  const fd = openSync(out, "w");
  const { stderr } = spawnSync("readelf", [...OPTIONS, path], {
    stdio: ["ignore", fd, "pipe"],
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C.UTF-8" },
  });
  closeSync(fd);
  return {
    fd: openSync(out, "r"),
    complaint: stderr === "" ? "" : `  (readelf: ${stderr.trim().split("\n")[0]})`,
  };
}

function firstDifference(elf, fd) {
  let offset = 0;
  const matches = (text) => {
    const ours = Buffer.from(text);
    const theirs = Buffer.alloc(ours.length);
    const read = readSync(fd, theirs, 0, ours.length, offset);
    if (read === ours.length && ours.equals(theirs)) {
      offset += read;
      return undefined;
    }
    return `at ${offset}\n${firstLine(ours, theirs.subarray(0, read))}`;
  };
  let pending = "";
  try {
    for (const piece of formatReadelf(elf)) {
      pending += piece;
      if (pending.length < BLOCK_BYTES) continue;
      const difference = matches(pending);
      if (difference !== undefined) return difference;
      pending = "";
    }
  } catch (error) {
    return matches(pending) ?? `${error.stack}`;
  }
  const rest = matches(pending);
  const size = fstatSync(fd).size;
  return rest ?? (offset === size ? undefined : `at ${offset}: ${size - offset} bytes are missing`);
}

function layoutDifference(elf) {
  const original = elf.bytesAt(0, elf.sizeBytes);
  return Buffer.compare(original, writeElf(readLayout(elf))) === 0
    ? undefined
    : "writeElf(readLayout(…)) is different";
}

function firstLine(ours, theirs) {
  const a = ours.toString().split("\n");
  const b = theirs.toString().split("\n");
  const i = a.findIndex((line, at) => line !== b[at]);
  return `  ours:    ${JSON.stringify(a[i])}\n  readelf: ${JSON.stringify(b[i])}`;
}

function print(line) {
  process.stdout.write(`${line}\n`);
}
