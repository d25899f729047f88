/** GNU objdump and as as second opinions: many single instructions at once, each in a slot of its own. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Bytes of a slot: an instruction of up to 15 bytes, then NOPs, in which the disassembler finds its step again. */
const SLOT = 64;
/** Stands behind GNU as's instruction; the rest of the slot is zeros. */
const END = 0xa5;
const BATCH = 100_000;
const MACHINES = { 16: "i8086", 32: "i386", 64: "i386:x86-64" };

function inTemporary(action) {
  const directory = mkdtempSync(join(tmpdir(), "x86-asm-"));
  try {
    return action(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function run(command, args, allowed = [0]) {
  const result = spawnSync(command, args, { encoding: "latin1", maxBuffer: 2 ** 31 - 1 });
  if (result.error) throw result.error;
  if (!allowed.includes(result.status)) throw new Error(`${command} ${args.join(" ")}: ${result.stderr}`);
  return result;
}

/**
 * What `objdump -d -M intel` prints for each instruction as if it stood at address 0: `{ text, length }`, or
 * `undefined` where the bytes are no instruction.
 */
export function disassemble(instructions, mode) {
  const results = [];
  for (let from = 0; from < instructions.length; from += BATCH) {
    for (const result of disassembleBatch(instructions.slice(from, from + BATCH), mode)) results.push(result);
  }
  return results;
}

function disassembleBatch(instructions, mode) {
  const image = Buffer.alloc(instructions.length * SLOT, 0x90);
  for (const [i, bytes] of instructions.entries()) image.set(bytes, i * SLOT);
  const output = inTemporary((directory) => {
    const path = join(directory, "image");
    writeFileSync(path, image);
    return run("objdump", ["-D", "-w", "-z", "-b", "binary", "-m", MACHINES[mode], "-M", "intel", path])
      .stdout;
  });
  const results = new Array(instructions.length);
  for (const line of output.split("\n")) {
    const match = /^ *([0-9a-f]+):\t([0-9a-f ]+)\t(.*)$/.exec(line);
    if (match === null) continue;
    const address = Number.parseInt(match[1], 16);
    if (address % SLOT !== 0) continue;
    results[address / SLOT] = {
      text: atOrigin(match[3], address, mode),
      length: match[2].trim().split(" ").length,
    };
  }
  return results.map((result) => (/\(bad\)|\{bad\}|\?/.test(result?.text) ? undefined : result));
}

/** A relative branch to an absolute address. */
const BRANCH = /^(.*\b(?:j\w+|call\w*|loop\w*|xbegin)(?:,p[nt])? )(0x[0-9a-f]+)$/;

/** How wide a branch target is before it wraps: an operand-size prefix narrows it, or widens it in 16-bit mode. */
function offsetBits(instruction, mode) {
  if (/data16|\b(?:jmp|call)w/.test(instruction)) return 16;
  return /data32|\b(?:jmp|call)d/.test(instruction) ? 32 : mode;
}

/** The text without objdump's comment, and with a relative target as it would be at address 0. */
function atOrigin(text, address, mode) {
  const plain = text
    .replace(/\s+#.*$/, "")
    .replace(/<[^>]*>/g, "")
    .replace(/\s+/g, " ")
    .trim();
  const branch = BRANCH.exec(plain);
  if (branch === null) return plain;
  const wrapped = BigInt.asUintN(offsetBits(branch[1], mode), BigInt(branch[2]) - BigInt(address));
  return `${branch[1]}0x${wrapped.toString(16)}`;
}

/**
 * GNU as's bytes for each text as if it stood, linked, at address 0; `undefined` where it refuses.
 */
export function assemble(texts, mode) {
  const results = [];
  for (let from = 0; from < texts.length; from += BATCH) {
    for (const result of assembleBatch(texts.slice(from, from + BATCH), mode)) results.push(result);
  }
  return results;
}

function assembleBatch(texts, mode) {
  return inTemporary((directory) => {
    const source = join(directory, "s.s");
    const object = join(directory, "s.o");
    const image = join(directory, "s.bin");
    const refused = new Set();
    for (;;) {
      const lines = texts.map((text, i) =>
        refused.has(i) ? `.skip ${SLOT}` : `${text}\n.byte ${END}; .balign ${SLOT},0`,
      );
      // Two lines for each instruction in any case, so that a complaint's line tells which it is.
      const body = lines.map((line) => (line.includes("\n") ? line : `\n${line}`)).join("\n");
      writeFileSync(source, `.intel_syntax noprefix\n.code${mode}\n${body}\n`);
      const { status, stderr } = run(
        "as",
        [mode === 64 ? "--64" : "--32", "-mindex-reg", "-o", object, source],
        [0, 1],
      );
      const before = refused.size;
      for (const [, line] of stderr.matchAll(/^[^:]*:(\d+): Error/gm)) refused.add((Number(line) - 3) >> 1);
      if (status === 0) break;
      if (refused.size === before) throw new Error(stderr.slice(0, 2000));
    }
    run("objcopy", ["-O", "binary", "-j", ".text", object, image]);
    const bytes = readFileSync(image);
    const relocated = relocations(object, bytes);
    return texts.map((_, i) => {
      if (refused.has(i)) return undefined;
      if (relocated.get(i) === null) return undefined;
      let end = (i + 1) * SLOT;
      while (bytes[end - 1] !== END) end--;
      return filled(bytes.subarray(i * SLOT, end - 1), relocated.get(i));
    });
  });
}

/**
 * Fields that the linker would fill, by slot, if every instruction stood at address 0; `null` where one refers to a
 * symbol: as took a name for one.
 */
function relocations(object, bytes) {
  const { stdout } = run("objdump", ["-r", object]);
  const slots = new Map();
  for (const [, at, type, value] of stdout.matchAll(/^([0-9a-f]+) R_(\w+)\s+(\S+)$/gm)) {
    const offset = Number.parseInt(at, 16);
    const slot = Math.floor(offset / SLOT);
    const size = Number(/_(?:PC|PLT)(8|16|32)$/.exec(type)?.[1]) / 8;
    const target = /^\*ABS\*(?:([+-])0x([0-9a-f]+))?$/.exec(value);
    if (!size || target === null) {
      slots.set(slot, null);
      continue;
    }
    // REL objects keep the addend in the field, RELA objects leave it 0.
    const inPlace = BigInt(bytes.readIntLE(offset, size));
    const addend = BigInt(`0x${target[2] ?? "0"}`) * (target[1] === "-" ? -1n : 1n);
    slots.set(slot, { at: offset % SLOT, size, value: inPlace + addend - BigInt(offset % SLOT) });
  }
  return slots;
}

function filled(bytes, relocation) {
  if (relocation === undefined) return bytes;
  const copy = Buffer.from(bytes);
  copy.writeUIntLE(
    Number(BigInt.asUintN(relocation.size * 8, relocation.value)),
    relocation.at,
    relocation.size,
  );
  return copy;
}
