import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PF, PT, readElf } from "@kvmkit/elf";
import { Assembler, al, eax, edi, edx, mem, rsi } from "@kvmkit/x86-asm";
import test from "ava";
import { linkProgram, writeObject } from "./link-object.js";

/** Copies a letter from .rodata to .bss, adds a byte of .data, writes it, and exits with it. */
function letterProgram() {
  const a = new Assembler();
  a.section(".data").label("one").db(1);
  a.section(".bss", { align: 16 }).label("letter").zero(1);
  a.section(".rodata").label("from").db("a");
  a.section(".text").global("_start").label("_start");
  a.mov(al, mem.byte.rip("from")).add(al, mem.byte.rip("one")).mov(mem.byte.rip("letter"), al);
  a.mov(eax, 1).mov(edi, 1).lea(rsi, mem.rip("letter")).mov(edx, 1).syscall();
  a.mov(eax, 60).movzx(edi, mem.byte.rip("letter")).syscall();
  return a.assemble();
}

test("a program's sections lie in one segment for each set of rights, none writable and executable", (t) => {
  const elf = readElf(linkProgram(letterProgram(), "letter.s"));
  const loaded = elf.segments.filter(({ p_type }) => p_type === PT.PT_LOAD);
  t.deepEqual(
    loaded.map(({ p_vaddr, p_flags, p_filesz, p_memsz }) =>
      [p_vaddr, p_flags, p_filesz, p_memsz].map(Number),
    ),
    [
      [0x400000, PF.PF_R | PF.PF_X, 56, 56],
      [0x401000, PF.PF_R, 1, 1],
      [0x402000, PF.PF_R | PF.PF_W, 1, 17],
    ],
  );
});

const onLinux = process.platform === "linux" && process.arch === "x64" ? test : test.skip;

onLinux("a linked program runs on Linux itself", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "kvmkit-link-"));
  const path = join(dir, "letter");
  writeFileSync(path, linkProgram(letterProgram(), "letter.s"));
  chmodSync(path, 0o755);
  const { stdout, status } = spawnSync(path);
  rmSync(dir, { recursive: true });
  t.deepEqual([stdout.toString(), status], ["b", 98]);
});

test("a program without _start is refused", (t) => {
  const object = new Assembler().label("main").assemble();
  t.throws(() => linkProgram(object, "x.s"), {
    code: "ERR_CLI_SOURCE",
    message: "x.s: the symbol _start is not defined",
  });
});

test("an object file holds the assembler's sections, symbols and relocations", (t) => {
  const elf = readElf(writeObject(letterProgram(), "letter.s"));
  const names = elf.sections.map(({ name }) => name);
  for (const name of [".text", ".rela.text", ".data", ".bss", ".rodata"]) t.true(names.includes(name), name);
  const symbols = elf.symbols!;
  const start = Array.from({ length: symbols.length }, (_, i) => i).find(
    (i) => symbols.name(i) === "_start",
  )!;
  t.is(elf.sections[symbols.shndx(start)]?.name, ".text");
});
