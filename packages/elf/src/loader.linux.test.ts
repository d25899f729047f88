/** planLoad beside Linux itself: a program that writes its memory, its mappings and its auxiliary vector out. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toolTest } from "@kvmkit-internal/test-support";
import { testdataPath } from "../scripts/testdata.mjs";
import { PROT, PT } from "./constants.js";
import { type LoadPiece, type LoadPlan, planLoad } from "./loader.js";
import { readElf } from "./reader.js";

const AT = { AT_PHDR: 3n, AT_PHENT: 4n, AT_PHNUM: 5n, AT_BASE: 7n, AT_ENTRY: 9n };

interface Mapping {
  readonly start: bigint;
  readonly end: bigint;
  readonly rights: string;
  readonly offset: number;
  readonly path: string;
}

interface Observed {
  readonly file: Uint8Array;
  readonly path: string;
  readonly memory: Uint8Array;
  readonly mappings: readonly Mapping[];
  readonly auxv: ReadonlyMap<bigint, bigint>;
}

function observe(options: readonly string[]): Observed {
  const folder = mkdtempSync(join(tmpdir(), "kvmkit-elf-"));
  try {
    const path = join(folder, "dump");
    const flags = ["-O1", "-nostdlib", "-fno-stack-protector", "-fno-asynchronous-unwind-tables"];
    execFileSync("gcc", [...flags, ...options, "-o", path, testdataPath("dump-memory.c")]);
    const { stdout, stderr } = spawnSync(path, { maxBuffer: 1 << 26 });
    const auxvStart = stderr.indexOf("auxv\n");
    return {
      path,
      file: readFileSync(path),
      memory: stdout,
      mappings: parseMappings(stderr.subarray(0, auxvStart).toString()),
      auxv: parseAuxv(stderr.subarray(auxvStart + 5)),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function parseMappings(text: string): Mapping[] {
  return Array.from(
    text.matchAll(/^(\w+)-(\w+) (\S+) (\w+) \S+ \d+ *(.*)$/gm),
    ([, start, end, rights, offset, path]) => ({
      start: BigInt(`0x${start}`),
      end: BigInt(`0x${end}`),
      rights: rights!.slice(0, 3),
      offset: Number.parseInt(offset!, 16),
      path: path!,
    }),
  );
}

function parseAuxv(bytes: Buffer): ReadonlyMap<bigint, bigint> {
  const auxv = new Map<bigint, bigint>();
  for (let at = 0; at < bytes.length; at += 16)
    auxv.set(bytes.readBigUInt64LE(at), bytes.readBigUInt64LE(at + 8));
  return auxv;
}

function rights({ prot }: LoadPiece): string {
  return `${prot & PROT.PROT_READ ? "r" : "-"}${prot & PROT.PROT_WRITE ? "w" : "-"}${prot & PROT.PROT_EXEC ? "x" : "-"}`;
}

/** The memory of every PT_LOAD, whole pages, as the plan's pieces say. */
function plannedMemory({ segments, loadBias }: LoadPlan, file: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { p_type, p_vaddr, p_memsz } of readElf(file).segments) {
    if (p_type !== PT.PT_LOAD) continue;
    const start = (p_vaddr + loadBias) & -4096n;
    const end = (p_vaddr + loadBias + p_memsz + 4095n) & -4096n;
    const memory = new Uint8Array(Number(end - start));
    for (const piece of segments) {
      if (piece.vaddr < start || piece.vaddr >= end) continue;
      memory.set(
        file.subarray(piece.fileOffset, piece.fileOffset + piece.fileSizeBytes),
        Number(piece.vaddr - start),
      );
    }
    parts.push(memory);
  }
  return Buffer.concat(parts);
}

const VARIANTS = {
  ET_EXEC: ["-static", "-no-pie", "-fno-pie"],
  "ET_EXEC without separate code pages": ["-static", "-no-pie", "-fno-pie", "-Wl,-z,noseparate-code"],
  "ET_EXEC with an executable stack": ["-static", "-no-pie", "-fno-pie", "-z", "execstack"],
  "static ET_DYN": ["-static-pie", "-fpie"],
  "static ET_DYN of 2 MiB alignment": ["-static-pie", "-fpie", "-Wl,-z,max-page-size=0x200000"],
};

for (const [title, options] of Object.entries(VARIANTS)) {
  toolTest(`Linux loads ${title} as planned: memory, mappings, auxiliary vector`, { gcc: "gcc" }, (t) => {
    const { file, path, memory, mappings, auxv } = observe(options);
    const own = mappings.filter((mapping) => mapping.path === path);
    const elf = readElf(file);
    const entry = auxv.get(AT.AT_ENTRY)!;
    const loadBias = entry - elf.header.e_entry;
    const plan = planLoad(elf, { loadBias });

    t.true(plannedMemory(plan, file).every((byte, i) => byte === memory[i]));
    t.is(plannedMemory(plan, file).length, memory.length);
    t.deepEqual(
      plan.segments
        .filter(({ fileSizeBytes }) => fileSizeBytes > 0)
        .map((piece) => [piece.vaddr, piece.memSizeBytes, rights(piece), piece.fileOffset]),
      own.map(({ start, end, rights: found, offset }) => [start, Number(end - start), found, offset]),
    );
    for (const piece of plan.segments.filter(({ fileSizeBytes }) => fileSizeBytes === 0)) {
      const holder = mappings.find(({ start, end }) => start <= piece.vaddr && piece.vaddr < end)!;
      t.is(holder.rights, rights(piece));
      t.true(holder.end >= piece.vaddr + BigInt(piece.memSizeBytes));
    }
    t.is(plan.loadBias, loadBias);
    t.is(auxv.get(AT.AT_PHDR), plan.phdr);
    t.is(auxv.get(AT.AT_PHENT), BigInt(plan.phent));
    t.is(auxv.get(AT.AT_PHNUM), BigInt(plan.phnum));
    t.is(auxv.get(AT.AT_BASE), plan.base);
    const stack = mappings.find((mapping) => mapping.path === "[stack]")!;
    t.is(plan.executableStack, stack.rights.includes("x"));
    const heap = mappings.find((mapping) => mapping.path === "[heap]");
    if (heap !== undefined) t.true(heap.start >= plan.brkStart);
  });
}
