/**
 * The package's figures beside its peers': GNU as, NASM and llvm-mc where they are installed, @defasm/core and
 * iced-x86 where the registry can be reached. Instructions per CPU second, medians, peers in the same run.
 *
 *   node bench/bench.mjs
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Assembler, assembleFlat, eax, mem, r12, rax, rbx, rcx, rdi, rsi, rsp } from "@kvmkit/x86-asm";
import { AssemblyDocument } from "@kvmkit/x86-asm/incremental";
import { commandTime, difference, median, rate, times } from "./measure.mjs";
import { flatWith, hasTool, installPackages } from "./peers.mjs";
import { mixedProgram, toNasm, wholeProgram } from "./programs.mjs";

const bundle = join(dirname(fileURLToPath(import.meta.url)), "../dist/bundle");
const folder = mkdtempSync(join(tmpdir(), "x86-asm-bench-"));
const path = (name) => join(folder, name);
const ABSENT = "absent";

const packages = installPackages(folder);
const tools = new Map(["as", "ld", "nasm", "llvm-mc"].map((name) => [name, hasTool(name)]));
const peer = (name, measure) => (tools.get(name) || packages.has(name) ? (measure() ?? "failed") : ABSENT);
const inPackage = (name, script, ...args) => peer(name, () => packages.get(name)(script, ...args));

const show = {
  rate: (value) => (typeof value === "number" ? `${(value / 1e6).toFixed(2)} M/s` : value),
  time: (value) => (typeof value === "number" ? `${value.toFixed(value < 10 ? 2 : 0)} ms` : value),
  size: (value) => (typeof value === "number" ? `${(value / 1000).toFixed(0)} kB` : value),
};

/** Prints one row: our figure, what it should reach, and each peer's figure with how many times better ours is. */
function row(what, aim, own, format, peers, isLessBetter = false) {
  console.log(`${what.padEnd(44)} ${format(own).padStart(10)}   aim ${aim}`);
  for (const [name, value] of Object.entries(peers)) {
    const ratio = isLessBetter ? value / own : own / value;
    const note = typeof value === "number" && value > 0 ? `${ratio.toFixed(1)} x` : "";
    console.log(`  ${name.padEnd(42)} ${format(value).padStart(10)}   ${note}`);
  }
}

function wholePrograms() {
  const sources = Array.from({ length: 10 }, (_, i) => wholeProgram(i + 1));
  if (!tools.get("as") || !tools.get("ld")) {
    console.log(`${"whole programs as GNU as makes them".padEnd(44)} ${ABSENT}: as, ld`);
    return;
  }
  const expected = sources.map((source) => flatWith("as", source, folder)?.toString("hex"));
  const same = (results) => results.filter((hex, i) => hex === expected[i]).length;
  const withTool = (tool, spell = (text) => text) =>
    peer(tool, () => same(sources.map((source) => flatWith(tool, spell(source), folder)?.toString("hex"))));
  const paths = sources.map((source, i) => {
    writeFileSync(path(`whole${i}.s`), source);
    return path(`whole${i}.s`);
  });
  const defasm = inPackage("@defasm/core", "defasm.mjs", "bytes", ...paths);
  const count = (value) => (typeof value === "number" ? `${value} of 10` : value);
  row(
    "whole programs as GNU as makes them",
    "10 of 10",
    same(sources.map((source) => Buffer.from(assembleFlat(source)).toString("hex"))),
    count,
    {
      "llvm-mc": withTool("llvm-mc"),
      NASM: withTool("nasm", toNasm),
      "@defasm/core": Array.isArray(defasm) ? same(defasm) : defasm,
    },
  );
}

function textToBytes() {
  const own = new Map();
  for (const count of [10_000, 100_000]) {
    const source = mixedProgram(count);
    writeFileSync(path("text.s"), source);
    writeFileSync(path("text.asm"), toNasm(source));
    own.set(
      count,
      rate(count, count === 10_000 ? 25 : 7, () => assembleFlat(source)),
    );
    const rounds = count === 10_000 ? 5 : 3;
    const process = (name, command) =>
      peer(name, () => {
        const milliseconds = commandTime(command, rounds);
        return milliseconds && count / (milliseconds / 1000);
      });
    const peers = {
      "GNU as, whole process": process("as", `as -o ${path("o")} ${path("text.s")}`),
      "llvm-mc, whole process": process("llvm-mc", `llvm-mc -filetype=obj -o ${path("o")} ${path("text.s")}`),
      "NASM, whole process": process("nasm", `nasm -f bin -o ${path("bin")} ${path("text.asm")}`),
    };
    if (count === 10_000)
      peers["@defasm/core"] = inPackage("@defasm/core", "defasm.mjs", "rate", path("text.s"));
    row(`text to bytes, ${count} instructions`, "1.00 M/s", own.get(count), show.rate, peers);
  }
  const ratio = own.get(10_000) / own.get(100_000);
  console.log(
    `${"cost of each at 100,000 over that at 10,000".padEnd(44)} ${ratio.toFixed(2).padStart(10)}   aim 1`,
  );
}

/** The instructions that bench/iced.mjs makes. */
function builder() {
  const own = rate(100_000, 15, () => {
    const a = new Assembler();
    for (let i = 0; i < 100_000; i += 10) {
      a.mov(rax, mem.qword(rbx, rcx, 4, -8))
        .add(rax, 8)
        .mov(mem.qword(rsp, i & 255), rax);
      a.lea(rdi, mem(rsi, i)).xor(eax, eax).push(r12).pop(r12).cmp(rax, i).mov(rcx, 123456).test(rax, rax);
    }
    a.assemble();
  });
  row("typed builder to bytes", "3.00 M/s", own, show.rate, {
    "iced-x86, create and encode": inPackage("iced-x86", "iced.mjs"),
  });
}

function oneLineEdit() {
  const source = mixedProgram(10_000);
  writeFileSync(path("edit.s"), source);
  const document = new AssemblyDocument(source);
  const lines = ["mov rax, 5", "add rcx, qword ptr [rsp+8]", "jne L100", "lea rdx, [rax+rax*4+100]"];
  const plain = document.lines.flatMap((line, i) =>
    line === "" || /[:.]/.test(line[0] + line.at(-1)) ? [] : [i + 1],
  );
  const own = median(
    times(150, (i) => {
      const line = plain[(i * 7919) % plain.length];
      document.edit({ line, insert: [lines[i % lines.length]] });
      const { assembly } = document;
      assembly?.flat();
      assembly?.listing({ from: line, to: line + 40 });
    }),
  );
  row(
    "one-line edit in 10,000: bytes, errors, listing",
    "1 ms",
    own,
    show.time,
    {
      "@defasm/core, bytes": inPackage("@defasm/core", "defasm.mjs", "edit", path("edit.s")),
    },
    true,
  );
}

function importing() {
  writeFileSync(path("empty.mjs"), "");
  const measure = (name, what) => {
    writeFileSync(path(name), `import ${JSON.stringify(what)};\n`);
    return difference(`node ${path(name)}`, `node ${path("empty.mjs")}`, 21);
  };
  const own = measure("own.mjs", join(bundle, "index.js"));
  const defasm = peer("@defasm/core", () => measure("defasm-import.mjs", "@defasm/core"));
  const iced = peer("iced-x86", () => measure("iced-import.mjs", "iced-x86"));
  for (const what of ["cpu", "wall"]) {
    const of = (value) => value?.[what] ?? value;
    row(
      `import, over a bare node start, ${what} time`,
      "20 ms",
      own[what],
      show.time,
      {
        "@defasm/core": of(defasm),
        "iced-x86": of(iced),
      },
      true,
    );
  }
}

/** Bytes of the modules that an entry loads, followed through their imports. */
function loadedBytes(file, seen = new Set()) {
  if (seen.has(file)) return 0;
  seen.add(file);
  const text = readFileSync(file);
  const imports = [...text.toString().matchAll(/\bfrom\s*["'](\.[^"'\n]+\.js)["']/g)];
  return imports.reduce((sum, [, name]) => sum + loadedBytes(join(dirname(file), name), seen), text.length);
}

function sizes() {
  const inFolder = (...names) =>
    names.reduce((sum, name) => sum + readFileSync(path(`node_modules/${name}`)).length, 0);
  row(
    "JavaScript of the core entry, not minified",
    "250 kB",
    loadedBytes(join(bundle, "index.js")),
    show.size,
    {
      "@defasm/core": peer("@defasm/core", () => loadedBytes(path("node_modules/@defasm/core/main.js"))),
      "iced-x86, with its WebAssembly": peer("iced-x86", () =>
        inFolder("iced-x86/iced_x86.js", "iced-x86/iced_x86_bg.wasm"),
      ),
    },
    true,
  );
}

for (const measure of [wholePrograms, textToBytes, builder, oneLineEdit, importing, sizes]) measure();
rmSync(folder, { recursive: true });
