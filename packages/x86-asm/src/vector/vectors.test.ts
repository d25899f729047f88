import { readdirSync, readFileSync } from "node:fs";
import test from "ava";
import { link } from "../link.js";
import { FormWord } from "../operand-bits.js";
import { groupForms } from "../packing.js";
import { Program } from "../program.js";
import { coreForms, type Form, parseRows, vectorFamilies, vectorForms } from "../table.js";
import { TextAssembler } from "../text/text-assembler.js";
import { allInstructions } from "./instruction-set.js";

const folder = new URL("../../testdata/vector-entry/", import.meta.url);
const packed: readonly Form[] = [...groupForms([...coreForms(), ...vectorForms()]).values()].flat();
const used = new Set<string>();

function nameOf({ mnemonic, operands, encoding }: Form): string {
  return `${mnemonic} ${operands.map(({ notation }) => notation).join(", ")} | ${encoding}`;
}

/** Assembles one line at address 0, and notes which form encoded it. */
function encode(line: string, bits: 32 | 64): string {
  const program = new Program(allInstructions, bits);
  const text = new TextAssembler(program, {});
  text.assemble(line, "vector");
  if (text.errors.length > 0) return text.errors[0]!.message;
  const { object } = program.finish(() => ({}));
  used.add(nameOf(packed[program.encoder.form / FormWord.stride]!));
  return Buffer.from(link(object).sections[0]!.bytes).toString("hex");
}

for (const name of readdirSync(folder)) {
  const [family, bits] = name.split(".");
  const vectors = readFileSync(new URL(name, folder), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(" | ") as [bytes: string, instruction: string]);
  test(`${family} of the vector entry in ${bits}-bit mode: all ${vectors.length} vectors`, (t) => {
    const wrong = vectors
      .map(([bytes, line]) => ({
        line,
        expected: bytes.replaceAll(" ", ""),
        found: encode(line, Number(bits) as 64),
      }))
      .filter(({ expected, found }) => expected !== found);
    t.deepEqual(wrong, []);
  });
}

for (const [family, rows] of Object.entries(vectorFamilies)) {
  test(`every form of ${family} encodes a vector`, (t) => {
    t.deepEqual(
      parseRows(rows)
        .map(nameOf)
        .filter((name) => !used.has(name)),
      [],
    );
  });
}
