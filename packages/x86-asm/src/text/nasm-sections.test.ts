/** Sections in NASM's dialect beside NASM's own. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toolTest } from "@kvmkit-internal/test-support";
import { assemble } from "../index.js";

function inFolder(body: (path: (name: string) => string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "x86-asm-"));
  try {
    body((name) => join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const run = (command: string, ...parameters: string[]) =>
  spawnSync(command, parameters, { encoding: "utf8" });

const SECTIONS = [
  "bits 64",
  "nop",
  ...["section .data", "db 1", "section .foo", "db 2", "section .bss", "resb 3", "section .rodata", "db 4"],
  ...[
    "section .bar align=8",
    "db 5",
    "section .baz align=1",
    "db 6",
    "section .qux",
    "db 1",
    "align 16",
    "db 7",
  ],
  ...["section .text", "mov rax, [rel last]", "section .last exec", "last: db 8", ""],
].join("\n");

toolTest(
  "sections have NASM's alignments and rights, in flat images and in objects",
  { nasm: "nasm", readelf: "binutils" },
  (t) => {
    inFolder((path) => {
      writeFileSync(path("in.asm"), SECTIONS);
      run("nasm", "-f", "bin", "-o", path("out.bin"), path("in.asm"));
      const { object, ...assembly } = assemble(SECTIONS, { dialect: "nasm" });
      t.deepEqual(Buffer.from(assembly.flat()), readFileSync(path("out.bin")));
      run("nasm", "-f", "elf64", "-o", path("out.o"), path("in.asm"));
      const listed = run("readelf", "-SW", path("out.o")).stdout.matchAll(
        /\] (\.\w+) +(?:PROGBITS|NOBITS) .* +([WAX]+) +0 +0 +(\d+)$/gm,
      );
      const expected = Array.from(listed, ([, name, rights, align]) => [name, rights, Number(align)]);
      const own = object.sections.map(({ name, flags, align }) => {
        const rights = [flags.write && "W", flags.alloc && "A", flags.execute && "X"]
          .filter(Boolean)
          .join("");
        return [name, rights, align];
      });
      t.deepEqual(own.sort(), expected.sort());
    });
  },
);
