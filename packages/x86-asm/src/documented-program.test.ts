import { readFileSync } from "node:fs";
import test from "ava";
import { AssemblyDocument } from "./incremental/index.js";
import {
  AsmError,
  Assembler,
  assemble,
  assembleFlat,
  type DialectName,
  link,
  mem,
  rax,
  sym,
} from "./index.js";
import { directivesOf } from "./text/directives.js";

test("the README's boot sector has 512 bytes and its signature", (t) => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const source = /assembleFlat\(\s*`([^`]*)`/.exec(readme)![1]!;
  const bytes = assembleFlat(source, { dialect: "nasm" });
  t.is(bytes.length, 512);
  t.deepEqual([...bytes.subarray(510)], [0x55, 0xaa]);
});

test("the README's builder program links", (t) => {
  const a = new Assembler({ bits: 64 });
  a.section(".text", { align: 16 });
  a.label("entry")
    .mov(rax, mem.qword(sym("counter")))
    .inc(rax)
    .jne("entry");
  a.text("mov [rsp+8], rax\n je done");
  a.label("done").hlt();
  a.section(".data").label("counter").dq(-3);
  const origins = { ".text": 0xffffffff80100000n, ".data": 0xffffffff80200000n };
  t.is(link(a.assemble(), { origins }).sections.length, 2);
});

test("the README's document is edited as it says", (t) => {
  const document = new AssemblyDocument("start: mov eax, 5\njmp start");
  document.edit({ line: 1, insert: ["start: mov eax, 6", "nop"] });
  t.is(Buffer.from(document.assembly!.flat()).toString("hex"), "b80600000090ebf8");
  t.deepEqual(document.errors, []);
});

const page = readFileSync(new URL("../docs/directives.md", import.meta.url), "utf8");

/** The part of the page about a dialect. */
function partOf(dialect: DialectName): string {
  return page.slice(
    page.indexOf(`\n## ${dialect}\n`),
    dialect === "gas" ? page.indexOf("\n## nasm\n") : undefined,
  );
}

interface Block {
  readonly text: string;
  /** It must not assemble. */
  readonly isWrong: boolean;
}

function blocksOf(dialect: DialectName): Block[] {
  const found = partOf(dialect).matchAll(/^```(?:gas|nasm)( error)?\n([^`]*)^```$/gm);
  return Array.from(found, ([, wrong, text]) => ({ text: text!, isWrong: wrong !== undefined }));
}

/** The bytes that are written behind each line of a block, and those that it became. */
function documentedBytes(text: string, dialect: DialectName) {
  const options = {
    dialect,
    resolve: (path: string) => (path.endsWith(".s") ? "nop\n" : "abcd"),
    file: "page",
  };
  const { lines, object } = assemble(text, options);
  const wanted = text.split("\n").flatMap((line, i) => {
    const bytes = /[#;] ((?:[0-9a-f]{2} ?)+)$/.exec(line)?.[1];
    return bytes === undefined ? [] : [[i + 1, bytes]];
  });
  const found = wanted.map(([number]) => {
    const parts = lines.filter(({ line, file }) => line === number && file === "page");
    const hex = parts.flatMap(({ section, offset, sizeBytes }) => {
      const { bytes } = object.sections.find(({ name }) => name === section)!;
      // What occupies no bytes in a file is zeros in memory.
      return Array.from({ length: sizeBytes }, (_, i) =>
        (bytes[offset + i] ?? 0).toString(16).padStart(2, "0"),
      );
    });
    return [number, hex.join(" ")];
  });
  return { wanted, found };
}

for (const dialect of ["gas", "nasm"] as const) {
  test(`docs/directives.md has every directive of ${dialect}: described, and in an example`, (t) => {
    const blocks = blocksOf(dialect);
    const described = new Set(partOf(dialect).match(/[.%]?[a-z0-9_]+/g));
    const prose = partOf(dialect).replace(/^```[^`]*^```$/gm, "");
    const explained = new Set([...prose.matchAll(/`([.%]?\w+)/g)].map(([, name]) => name));
    const shown = new Set(
      blocks.flatMap(({ text }) =>
        text
          .split("\n")
          .flatMap((line) => line.replace(/^\s*\[?(\w+:)?\s*/, "").match(/^\S+?(?=[\s\],]|$)/) ?? []),
      ),
    );
    for (const { text } of blocks) {
      // NASM's data directives stand behind a label without a colon as well.
      for (const [, name] of text.matchAll(/^\s*\w+ (equ|d[bwdqtoyz])\b/gm)) shown.add(name!);
    }
    const names = [...directivesOf(dialect).keys()];
    t.deepEqual(
      names.filter((name) => !shown.has(name)),
      [],
      "not in an example",
    );
    t.deepEqual(
      names.filter((name) => !explained.has(name) && !isLeftAside(name)),
      [],
      "not explained",
    );
    t.true(names.every((name) => described.has(name)));
  });

  test(`docs/directives.md: the examples of ${dialect} assemble to the bytes that it says`, (t) => {
    for (const { text, isWrong } of blocksOf(dialect)) {
      const bits = dialect === "gas" ? 64 : 16;
      if (isWrong) t.throws(() => assemble(text, { dialect, bits }), { instanceOf: AsmError }, text);
      else {
        const { wanted, found } = documentedBytes(text, dialect);
        t.deepEqual(found, wanted, text);
      }
    }
  });
}

/** What has no effect is summed up. */
function isLeftAside(name: string): boolean {
  return /^\.(cfi_|addrsig|arch|file|ident|loc|no?list|list|line|linkonce|ln|print|psize|sbttl|symver|title|version|eject)/.test(
    name,
  );
}
