/** What names mean at a place in the source: local labels, numbered labels, this place. */
import { asmError } from "../errors.js";
import { SymbolReference } from "../expressions.js";
import type { Program } from "../program.js";
import type { DialectName } from "./dialect.js";

export class Scope {
  private readonly program: Program;
  private readonly dialect: DialectName;
  /** The last label that is not local: NASM's local labels belong to it. */
  owner = "";
  /** How often each numbered label was defined. */
  private readonly numbers = new Map<string, number>();
  private readonly sectionStarts = new Map<number, number>();

  constructor(program: Program, dialect: DialectName) {
    this.program = program;
    this.dialect = dialect;
  }

  /** The full name: in NASM's dialect `.x` belongs to the label before it. */
  qualify(name: string): string {
    const isLocal = this.dialect === "nasm" && name.charCodeAt(0) === 46 && name.charCodeAt(1) !== 46;
    return isLocal ? this.owner + name : name;
  }

  /** Defines a label here. Throws `ERR_ASM_SYMBOL` if the name is taken. */
  define(name: string): void {
    const full = this.qualify(name);
    if (full === name && !name.startsWith("..")) this.owner = name;
    this.program.label(full);
    if (this.dialect === "gas" && name.startsWith(".L")) this.program.symbols.entry(name).isTemporary = true;
  }

  /** Defines the label `number` once more. */
  defineNumbered(number: string): void {
    const count = this.numbers.get(number) ?? 0;
    this.program.changes++;
    this.numbers.set(number, count + 1);
    const name = numberedName(number, count);
    this.program.label(name);
    this.program.symbols.entry(name).isTemporary = true;
  }

  /** The name of the label `number` next behind this place, or last before it. */
  numbered(number: string, forward: boolean): string {
    const count = this.numbers.get(number) ?? 0;
    this.program.changes++;
    if (!forward && count === 0) {
      throw asmError(
        "ERR_ASM_SYMBOL",
        `there is no label ${number} before this`,
        `${number}f is the one behind`,
      );
    }
    const name = numberedName(number, forward ? count : count - 1);
    this.program.symbols.entry(name).isTemporary = true;
    return name;
  }

  /** The address of this place. */
  here(): SymbolReference {
    return this.program.here();
  }

  /** The address where this section starts. */
  sectionStart(): SymbolReference {
    const { section, symbols } = this.program;
    let id = this.sectionStarts.get(section.index);
    if (id === undefined) {
      const symbol = symbols.anonymous();
      symbol.place = section.index;
      this.sectionStarts.set(section.index, (id = symbol.id));
    }
    return new SymbolReference("", 0, id);
  }
}

/** No source can spell it. */
function numberedName(number: string, count: number): string {
  return `${number} (${count + 1})`;
}
