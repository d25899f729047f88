/**
 * Time for every ELF file of this system, with GNU readelf beside it where it is installed.
 *
 *   node bench/bench.mjs [folder…]
 *
 * "structure" is header, segments, sections and their names by ranged reads; "everything" adds every symbol
 * with its name and version, every relocation, the notes and the dynamic section, from files in memory (the
 * time to read them is given apart). CPU seconds of this process; readelf's are those of its one process.
 */
import { spawnSync } from "node:child_process";
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { openElf, readElf, relrOffsets } from "../dist/index.js";
import { systemElfFiles } from "../scripts/system-files.mjs";

const SHT_RELR = 19;
const paths = systemElfFiles(process.argv.length > 2 ? process.argv.slice(2) : undefined);
const counts = { sections: 0, segments: 0, symbols: 0, relocations: 0, bytes: 0 };

const structureSeconds = cpuSeconds(() => {
  for (const path of paths) structure(path);
});
let readSeconds = 0;
let everythingSeconds = 0;
for (const path of paths) {
  let bytes;
  readSeconds += cpuSeconds(() => {
    bytes = readFileSync(path);
  });
  counts.bytes += bytes.length;
  everythingSeconds += cpuSeconds(() => everything(readElf(bytes)));
}

console.log(`${paths.length} files, ${(counts.bytes / 1e6).toFixed(0)} MB: ${counts.segments} segments,`);
console.log(`${counts.sections} sections, ${counts.symbols} symbols, ${counts.relocations} relocations\n`);
row("", "CPU s", "µs a file");
row("structure, by ranged reads", structureSeconds);
row("readelf -W -hSl", readelf("-W", "-hSl"));
row("everything, from memory", everythingSeconds);
row("  reading the files", readSeconds);
row("readelf -W -hSlsr -n -V", readelf("-W", "-hSlsr", "-n", "-V"));

function structure(path) {
  const fd = openSync(path, "r");
  const source = {
    size: fstatSync(fd).size,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      readSync(fd, bytes, 0, length, offset);
      return bytes;
    },
  };
  const elf = openElf(source);
  counts.segments += elf.segments.length;
  counts.sections += elf.sections.length;
  closeSync(fd);
}

/** Returns a sum over all that was decoded, so that none of it is optimized away. */
function everything(elf) {
  let sum = elf.segments.length + elf.sections.length;
  for (const table of [elf.symbols, elf.dynamicSymbols]) if (table) sum += sumOfSymbols(table);
  for (const table of elf.relocationTables) sum += sumOfRelocations(table);
  for (const section of elf.sections) {
    if (section.sh_type === SHT_RELR)
      for (const offset of relrOffsets(elf, section)) sum += Number(offset & 1n);
  }
  return sum + elf.notes.length + (elf.dynamic?.entries.length ?? 0);
}

function sumOfSymbols(table) {
  let sum = 0;
  for (let i = 0; i < table.length; i++) {
    sum += table.name(i).length + table.info(i) + table.other(i) + table.shndx(i);
    if (table.value(i) === table.size(i)) sum++;
    if (table.version(i) !== undefined) sum++;
  }
  counts.symbols += table.length;
  return sum;
}

function sumOfRelocations(table) {
  let sum = 0;
  for (let i = 0; i < table.length; i++) {
    sum += table.type(i) + table.symbol(i);
    if (table.offset(i) === table.addend(i)) sum++;
  }
  counts.relocations += table.length;
  return sum;
}

function cpuSeconds(body) {
  const start = process.cpuUsage();
  body();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

/** CPU seconds of one readelf over all files, `undefined` where it is not installed. */
function readelf(...options) {
  const script = 'readelf "$@" >/dev/null 2>&1; times';
  const { stdout } = spawnSync("bash", ["-c", script, "bash", ...options, ...paths], { encoding: "utf8" });
  const children = /\n(\d+)m([\d.]+)s (\d+)m([\d.]+)s\n?$/.exec(stdout ?? "");
  if (children === null || spawnSync("readelf", ["--version"]).error) return undefined;
  const [userMin, user, systemMin, system] = children.slice(1).map(Number);
  return userMin * 60 + user + systemMin * 60 + system;
}

function row(label, seconds, perFile) {
  const time = seconds === undefined ? "absent" : typeof seconds === "string" ? seconds : seconds.toFixed(2);
  const each = typeof seconds === "number" ? ((seconds / paths.length) * 1e6).toFixed(0) : (perFile ?? "");
  console.log(`${label.padEnd(30)}${time.padStart(8)}${each.padStart(12)}`);
}
