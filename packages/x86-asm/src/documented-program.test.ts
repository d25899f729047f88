import { readFileSync } from "node:fs";
import test from "ava";
import { Assembler, assembleFlat, link, mem, rax, sym } from "./index.js";
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

for (const dialect of ["gas", "nasm"] as const) {
  test(`docs/text.md names every directive of ${dialect}`, (t) => {
    const page = readFileSync(new URL("../docs/text.md", import.meta.url), "utf8");
    const start = page.indexOf(`## Directives of ${dialect}`);
    const part = page.slice(start, page.indexOf("\n## ", start + 5));
    const documented = new Set(part.match(/[.%]?[a-z0-9]\w*/g));
    const missing = [...directivesOf(dialect).keys()].filter(
      (name) => !documented.has(name) && !isVariant(name),
    );
    t.deepEqual(missing, []);
  });
}

/** Spellings that the page sums up: what is left aside, and the other forms of a condition or a macro. */
function isVariant(name: string): boolean {
  const leftAside =
    /^\.(cfi_|addrsig|loc_|no?list|line|ln|print|protected|internal|psize|sbttl|symver|title|version)/;
  return (
    leftAside.test(name) ||
    /^\.(linkonce|eject|warning|list|subsection|intel_syntax|att_syntax|rep|p2align[wl]|string8|endmacro)$/.test(
      name,
    ) ||
    /^\.if(not?def|n?eqs|nes)$/.test(name) ||
    /^%(i(macro|define|xdefine|assign)|endm|ifn?\w*|el\w+)$/.test(name) ||
    /^(use(32|64)|required)$/.test(name)
  );
}
