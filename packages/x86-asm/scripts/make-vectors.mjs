/**
 * Writes testdata/vectors/<family>.<bits>.txt: for every form of the table in every mode, each operand in its
 * awkward shapes, with the bytes that GNU as gives. What GNU as refuses is left out; `--refused` lists it.
 *
 *   node scripts/make-vectors.mjs [family …]
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { families } from "../dist/instructions/index.js";
import { EncodingKind, OperandBit, parseRows } from "../dist/table.js";

const testdata = join(dirname(fileURLToPath(import.meta.url)), "../testdata/vectors");
const modes = { 16: 1, 32: 2, 64: 4 };
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const showRefused = process.argv.includes("--refused");

const registers = {
  r8: { 64: ["cl", "spl", "r9b", "ah"], 32: ["cl", "bh"], 16: ["cl", "bh"] },
  r16: { 64: ["cx", "r10w"], 32: ["cx", "si"], 16: ["cx", "si"] },
  r32: { 64: ["ecx", "r11d"], 32: ["ecx", "edi"], 16: ["ecx", "edi"] },
  r64: { 64: ["rcx", "r12"] },
  sreg: { 64: ["ds", "fs"], 32: ["es", "gs"], 16: ["ss", "ds"] },
  cr: { 64: ["cr0", "cr8"], 32: ["cr4"], 16: ["cr0"] },
  dr: { 64: ["db7", "db0"], 32: ["db6"], 16: ["db0"] },
  st: { 64: ["st(3)"], 32: ["st(1)"], 16: ["st(7)"] },
  mm: { 64: ["mm1", "mm7"], 32: ["mm1", "mm7"], 16: ["mm2"] },
  xmm: { 64: ["xmm1", "xmm14"], 32: ["xmm1", "xmm7"], 16: ["xmm2"] },
  tr: { 32: ["tr3", "tr7"], 16: ["tr6"] },
  bnd: { 64: ["bnd1", "bnd3"], 32: ["bnd2"], 16: ["bnd0"] },
};

const memory = {
  64: [
    "[rax]",
    "[rsp]",
    "[rbp]",
    "[r12]",
    "[r13]",
    "[rcx+0x7f]",
    "[rdx-0x80]",
    "[rbx+0x80]",
    "[rsi+rdi*4-0x12345678]",
    "[r14+r15*8+0x10]",
    "[r13+rax*1]",
    "[rax*2+0x0]",
    "[rip+0x1234]",
    "ds:0x1234",
    "fs:[rax]",
    "gs:0x10",
    "[esi+0x4]",
    "es:[rbp+0x8]",
    "[rsp+rbp*2]",
    "[r8d+r9d*4]",
  ],
  32: [
    "[eax]",
    "[esp]",
    "[ebp]",
    "[ecx+0x7f]",
    "[edx-0x80]",
    "[ebx+0x80]",
    "[esi+edi*4-0x12345678]",
    "[ebp+eax*1]",
    "[eax*2+0x0]",
    "ds:0x1234",
    "fs:[eax]",
    "gs:0x10",
    "[bx+si]",
    "[bp+0x4]",
    "es:[ebp+0x8]",
  ],
  16: [
    "[bx+si]",
    "[bx+di+0x7f]",
    "[bp+si-0x80]",
    "[bp+di+0x80]",
    "[si]",
    "[di]",
    "[bp+0x0]",
    "[bx+0x1234]",
    "ds:0x1234",
    "es:[bx]",
    "[eax+ebx*4]",
    "gs:[bp+0x2]",
    "[esp]",
  ],
};

const widthWords = {
  8: "BYTE PTR ",
  16: "WORD PTR ",
  32: "DWORD PTR ",
  48: "FWORD PTR ",
  64: "QWORD PTR ",
  80: "TBYTE PTR ",
  128: "XMMWORD PTR ",
  256: "YMMWORD PTR ",
  512: "ZMMWORD PTR ",
};

const immediates = {
  imm8: ["0x1", "0x7f", "0x80", "0xff", "-0x80"],
  imm16: ["0x1", "0x80", "0x1234", "0xffff"],
  imm32: ["0x1", "0x80", "0x12345678", "0xffffffff"],
  imm64: ["0x123456789abcdef0", "0xffffffff"],
  simm8: ["0x1", "0x7f", "-0x80"],
  simm32: ["0x80", "0x12345678", "-0x80000000", "0x7fffffff"],
  1: ["1"],
  3: ["3"],
};

/** The spellings of one operand of a form in a mode, the plain one first. */
function shapes(operand, form, bits) {
  const { notation, accepts, check, fixed } = operand;
  if (form.kind === EncodingKind.lockedControl && notation === "cr") return ["cr8", "cr15"];
  if (notation in immediates) return immediates[notation];
  const string = /^m(\d*)\((\w+)\)$/.exec(notation);
  if (string) return stringShapes(string[1], string[2], bits);
  if (fixed >= 0) return [notation];
  if (notation.startsWith("rel")) {
    // GNU as makes jmpw and jmpd short where it can.
    return /^jmp[wd]/.test(form.mnemonic) ? ["0x10", "0x1234"] : ["0x10", "0x1234", ".+0x10"];
  }
  if (notation.startsWith("ptr")) return notation.endsWith("16") ? ["0x8:0x1234"] : ["0x8:0x12345678"];
  if (notation.startsWith("moffs")) return [`ds:0x12${bits === 64 ? "345678" : "34"}`, `fs:0x10`];
  const found = [];
  for (const [file, byMode] of Object.entries(registers)) {
    // Test registers share their bit with tiles.
    if (accepts & OperandBit[file] && (notation === "tr") === (file === "tr"))
      found.push(...(byMode[bits] ?? []));
  }
  if (check === 0) {
    const all = memory[bits].filter((address) => fitsAddressSize(address, form));
    const widths = [8, 16, 32, 48, 64, 80, 128, 256, 512].filter(
      (width) => accepts & OperandBit[`m${width}`],
    );
    const word = widths.length === 1 && !UNSIZED.test(form.mnemonic) ? widthWords[widths[0]] : "";
    if (widths.length > 0) found.push(...someAddresses(all).map((address) => word + address));
  }
  return found;
}

/** GNU as takes no width word before what these read. */
const UNSIZED = /^(movdir64b|enqcmds?)$/;

/** Whether an address may stand where the form has one address size: its registers have that width. */
function fitsAddressSize(address, { addressSize }) {
  if (addressSize === 0) return true;
  const registers = { 1: /\b(bx|si|di|bp)\b/, 2: /\be[a-ds][xpi]\b|\be[bs]p\b/, 3: /\br/ }[addressSize];
  return registers.test(address);
}

function stringShapes(width, register, bits) {
  const prefix = width === "" ? "" : widthWords[width];
  const names = {
    64: [`r${register}`, `e${register}`],
    32: [`e${register}`, register],
    16: [register, `e${register}`],
  };
  const segments = register === "di" ? ["es"] : ["ds", "fs"];
  return segments.flatMap((segment) => names[bits].map((name) => `${prefix}${segment}:[${name}]`));
}

/** Addresses besides the first that a form is tried with; every form has others, so that all turn up often. */
const ADDRESSES_EACH = 3;
let turn = 0;

function someAddresses(list) {
  const [plain, ...others] = list;
  if (others.length <= ADDRESSES_EACH) return list;
  const picked = Array.from({ length: ADDRESSES_EACH }, () => others[turn++ % others.length]);
  return [plain, ...new Set(picked)];
}

/** One instruction for each shape of each operand, the others plain. */
function instructions(form, bits) {
  const operands = form.operands.map((operand) => shapes(operand, form, bits));
  if (operands.some((list) => list.length === 0)) return [];
  const texts = new Set();
  const plain = operands.map((list) => list[0]);
  const mnemonic = form.kind === EncodingKind.addressed ? `addr32 ${form.mnemonic}` : form.mnemonic;
  texts.add(text(mnemonic, plain));
  operands.forEach((list, i) => {
    for (const shape of list) texts.add(text(mnemonic, plain.with(i, shape)));
  });
  if (form.operands.at(-1)?.optional) texts.add(text(mnemonic, plain.slice(0, -1)));
  return [...texts];
}

function text(mnemonic, operands) {
  return operands.length === 0 ? mnemonic : `${mnemonic} ${operands.join(",")}`;
}

/** GNU as reads `jmpw 0x10`, which objdump prints for a relative jump, as one through memory. */
function spelledForAs(line, bits) {
  const [, mnemonic, suffix, target] = /^(jmp|call)([wd]) ([.+]*0x[0-9a-f]+)$/.exec(line) ?? [];
  if (mnemonic === undefined) return line;
  const isOwn = suffix === (bits === 16 ? "w" : "d");
  return `${isOwn ? "" : bits === 16 ? "data32 " : "data16 "}${mnemonic} ${target}`;
}

/** Bytes by instruction as GNU as gives them; refused ones are absent. */
function assemble(texts, bits) {
  const folder = mkdtempSync(join(tmpdir(), "vectors-"));
  const path = (name) => join(folder, name);
  const machine = bits === 64 ? ["--64", "elf_x86_64"] : ["--32", "elf_i386"];
  let left = texts;
  const run = () => {
    const lines = left.map((line, i) => `s${i}: ${spelledForAs(line, bits)}`);
    writeFileSync(path("in.s"), `.intel_syntax noprefix\n.code${bits}\n${lines.join("\n")}\nsend:\n`);
    return spawnSync("as", ["-W", machine[0], "-o", path("out.o"), path("in.s")], { encoding: "utf8" });
  };
  let result = run();
  if (result.status !== 0) {
    const bad = new Set(
      [...result.stderr.matchAll(/in\.s:(\d+): Error/g)].map((match) => Number(match[1]) - 3),
    );
    if (showRefused) for (const i of bad) process.stdout.write(`refused in ${bits}-bit mode: ${left[i]}\n`);
    left = left.filter((_, i) => !bad.has(i));
    if (left.length === 0) return [];
    result = run();
    if (result.status !== 0) throw new Error(result.stderr);
  }
  // Linking at 0 resolves branches to absolute addresses.
  spawnSync("ld", [
    "-m",
    machine[1],
    "-Ttext=0",
    "-e",
    "0",
    "--oformat=binary",
    "-o",
    path("out.bin"),
    path("out.o"),
  ]);
  const bytes = readFileSync(path("out.bin"));
  const symbols = spawnSync("nm", [path("out.o")], { encoding: "utf8" }).stdout;
  const offsets = new Map(
    [...symbols.matchAll(/^([0-9a-f]+) t s(\w+)$/gm)].map((m) => [m[2], Number.parseInt(m[1], 16)]),
  );
  rmSync(folder, { recursive: true });
  return left.map((line, i) => {
    const start = offsets.get(String(i));
    const end = offsets.get(String(i + 1)) ?? offsets.get("end");
    return { line, start, bytes: bytes.subarray(start, end) };
  });
}

mkdirSync(testdata, { recursive: true });
for (const [family, rows] of Object.entries(families)) {
  if (wanted.length > 0 && !wanted.includes(family)) continue;
  for (const bits of [16, 32, 64]) {
    const forms = parseRows(rows).filter((form) => form.modes & modes[bits]);
    const texts = [...new Set(forms.flatMap((form) => instructions(form, bits)))];
    const relative = texts.filter((line) => /^(j\w+|call[wd]?|loop\w*|xbegin) [.+]*0x[0-9a-f]+$/.test(line));
    const vectors = assemble(
      texts.filter((line) => !relative.includes(line)),
      bits,
    );
    // A branch's bytes depend on where it stands: each is assembled at 0.
    for (const line of relative) vectors.push(...assemble([line], bits));
    const lines = vectors.map(
      ({ line, bytes }) => `${[...bytes].map((b) => b.toString(16).padStart(2, "0")).join(" ")} | ${line}`,
    );
    const head = `# ${family}, ${bits}-bit mode: bytes | instruction, each assembled at address 0.
# Origin: GNU as 2.40 (.intel_syntax noprefix), linked at 0 by GNU ld. Recipe: node scripts/make-vectors.mjs ${family}
`;
    writeFileSync(join(testdata, `${family}.${bits}.txt`), `${head}${lines.join("\n")}\n`);
    process.stdout.write(`${family}.${bits}: ${lines.length}\n`);
  }
}
