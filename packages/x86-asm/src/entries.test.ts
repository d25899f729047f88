import { readFileSync } from "node:fs";
import test from "ava";
import { FormTable, readMnemonics } from "./form-table.js";
import { coreTable } from "./generated/core-table.js";
import { coreInstructions } from "./instruction-set.js";
import { packTable } from "./packing.js";
import { coreForms } from "./table.js";

const bundle = new URL("./bundle/", import.meta.url);

/** The modules that an entry loads, by address. */
function loaded(entry: URL, seen = new Map<string, string>()): ReadonlyMap<string, string> {
  if (seen.has(entry.href)) return seen;
  const text = readFileSync(entry, "utf8");
  seen.set(entry.href, text);
  for (const [, path] of text.matchAll(/^(?:import|\}) [^"\n]*"([^"\n]+)";$/gm))
    loaded(new URL(path!, entry), seen);
  return seen;
}

test("the core entry loads at most 250,000 bytes of JavaScript, not minified, and no other package", (t) => {
  const modules = [...loaded(new URL("index.js", bundle)).values()];
  const bytes = modules.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  t.true(bytes <= 250_000, `${bytes} bytes`);
  // Newlines would be gone from minified code.
  t.true(modules.join("").split("\n").length > bytes / 50);
});

test("importing reads no mnemonic, loading unpacks no form; using a mnemonic unpacks its own", (t) => {
  const table = new FormTable(() => readMnemonics(coreTable));
  t.is(table.words.length, 0);
  table.load();
  t.true(table.words.every((word) => word === 0));
  const mov = table.ids.get("mov")!;
  table.unpack(mov);
  t.deepEqual(
    [...table.traits].filter((traits) => traits !== 0),
    [1],
  );
  t.not(table.words[table.first[mov]! * 10], 0);
});

test("the loaded table has every form of the rows, in their order", (t) => {
  coreInstructions.unpackAll();
  const forms = coreForms();
  t.deepEqual(packTable(forms), coreTable);
  t.deepEqual([...new Set(forms.map(({ mnemonic }) => mnemonic))], [...coreInstructions.mnemonics]);
});
