/** What the names of a dialect mean over an instruction set. */
import type { InstructionSet } from "../instruction-set.js";
import type { DialectName } from "./dialect.js";
import { type Directive, directivesOf } from "./directives.js";
import type { NameTable } from "./names.js";
import { buildNames } from "./vocabulary.js";

/** The directives that append data and do nothing else. */
const DATA_DIRECTIVES: Readonly<Record<DialectName, RegExp>> = {
  gas: /^\.(byte|short|h?word|value|long|int|quad|octa|[248]byte|[us]leb128|h?float|single|double|tfloat|asci[iz]|string\d*|skip|space|zero|fill)$/,
  nasm: /^(d|res)[bwdqtoyz]$/,
};

interface Vocabulary {
  readonly names: NameTable;
  readonly directives: readonly Directive[];
  /** Not 0 for directives that append data and do nothing else. */
  readonly isData: Uint8Array;
}

const vocabularies = new WeakMap<InstructionSet, Map<DialectName, Vocabulary>>();

/** The names of a dialect over an instruction set, built once. */
export function vocabularyOf(set: InstructionSet, dialect: DialectName): Vocabulary {
  let byDialect = vocabularies.get(set);
  if (byDialect === undefined) vocabularies.set(set, (byDialect = new Map()));
  let vocabulary = byDialect.get(dialect);
  if (vocabulary === undefined) {
    const table = directivesOf(dialect);
    vocabulary = {
      names: buildNames(set, dialect, [...table.keys()]),
      directives: [...table.values()],
      isData: Uint8Array.from(table.keys(), (name) => (DATA_DIRECTIVES[dialect].test(name) ? 1 : 0)),
    };
    byDialect.set(dialect, vocabulary);
  }
  return vocabulary;
}
