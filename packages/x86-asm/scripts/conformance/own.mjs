/** This package as the conformance reporter asks it: one line at a time, each at address 0. */
import { AsmError } from "../../dist/errors.js";
import { link } from "../../dist/link.js";
import { Program } from "../../dist/program.js";
import { coreForms, vectorForms } from "../../dist/table.js";
import { TextAssembler } from "../../dist/text/text-assembler.js";
import { Decoder, format } from "../../dist/vector/decoder.js";
import { allInstructions } from "../../dist/vector/instruction-set.js";

/** The bytes of one line: `{ bytes }`, or `{ refusal }` with the complaint. Anything else that is thrown is a bug. */
export function assembleLine(line, bits, dialect = "gas") {
  try {
    const program = new Program(allInstructions, bits);
    const text = new TextAssembler(program, { dialect });
    text.assemble(line, "line");
    if (text.errors.length > 0) return { refusal: text.errors[0].message };
    const { object } = program.finish(() => ({}));
    return { bytes: Buffer.from(link(object).sections[0].bytes) };
  } catch (error) {
    if (error instanceof AsmError) return { refusal: error.message };
    throw error;
  }
}

/** CPU feature by mnemonic: the first that its rows name. */
const features = new Map();
for (const { mnemonic, feature } of [...coreForms(), ...vectorForms()]) {
  if (!features.has(mnemonic)) features.set(mnemonic, feature);
}

const PREFIX =
  /^(\{[^}]*\}|lock|repn?[ez]?|repn[ez]|rex(\.\w+)?|data(16|32)|addr(16|32)|[c-gs]s|bnd|notrack|x(acquire|release))( +|$)/;

/** The mnemonic of a line; empty for prefixes alone. */
export function mnemonicOf(line) {
  let rest = line;
  for (let match = PREFIX.exec(rest); match !== null; match = PREFIX.exec(rest))
    rest = rest.slice(match[0].length);
  return rest.split(/[ ,]/)[0];
}

/** The ISA group of a line: the feature of its mnemonic, `prefix` for prefixes alone. */
export function groupOf(line) {
  const mnemonic = mnemonicOf(line);
  if (mnemonic === "") return "prefix";
  const feature = features.get(mnemonic) ?? "unknown";
  return /^(8086|[1-6]86|X64)$/.test(feature) ? "base" : feature.replace(/,.*/, "");
}

const decoder = new Decoder();

/** Text and length of the instruction at the start of bytes that NOPs follow; `undefined` if there is none. */
export function decodeText(bytes, bits, dialect = "gas") {
  const image = new Uint8Array(bytes.length + 16).fill(0x90);
  image.set(bytes);
  const instruction = decoder.decode(image, { bits });
  return instruction && { text: format(instruction, { dialect }), length: instruction.length };
}
