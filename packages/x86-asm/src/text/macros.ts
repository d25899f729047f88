/** Macros of both dialects: GNU as's .macro, NASM's %macro and %define. */
import { asmError } from "../errors.js";
import type { TextAssembler } from "./text-assembler.js";

interface Parameter {
  readonly name: string;
  readonly initial: string;
  readonly isRequired: boolean;
  /** Takes the rest of the arguments. */
  readonly isRest: boolean;
}

interface GasMacro {
  readonly kind: "gas";
  readonly parameters: readonly Parameter[];
  readonly body: string;
  readonly file: string;
  readonly firstLine: number;
}

interface NasmMacro {
  readonly kind: "nasm";
  readonly minimum: number;
  readonly maximum: number;
  /** The last parameter takes the rest of the line. */
  readonly isGreedy: boolean;
  readonly defaults: readonly string[];
  readonly body: string;
  readonly file: string;
  readonly firstLine: number;
}

interface Define {
  readonly parameters: readonly string[] | null;
  readonly text: string;
}

/** Expanding a line may not make it longer than this. */
const MAX_LINE = 100_000;
/** Nor an expanded body. */
const MAX_BODY = 4_000_000;

export class MacroTable {
  private readonly gas = new Map<string, GasMacro>();
  private readonly nasm = new Map<string, NasmMacro[]>();
  private readonly defines = new Map<string, Define>();
  private calls = 0;
  /** Whether names at the start of a statement may be macros. */
  hasMacros = false;
  /** Whether lines must be searched for `%define`d names. */
  needsExpansion = false;

  has(name: string): boolean {
    return this.gas.has(name.toLowerCase()) || this.nasm.has(name.toLowerCase());
  }

  /** Whether a macro of NASM's takes a number of arguments that `counts` names: `2`, `1-3`, `0-*`, `1+`. */
  overlaps(name: string, counts: string): boolean {
    const match = /^(\d{1,5})(?:-(\d{1,5}|\*))?(\+)?$/.exec(counts);
    if (match === null) throw asmError("ERR_ASM_MACRO", `"${counts.slice(0, 40)}" is no number of arguments`);
    const least = Number(match[1]);
    const most =
      match[2] === "*" || match[3] !== undefined ? Number.POSITIVE_INFINITY : Number(match[2] ?? least);
    return (this.nasm.get(name.toLowerCase()) ?? []).some(
      ({ minimum, maximum, isGreedy }) => minimum <= most && (isGreedy || least <= maximum),
    );
  }

  isDefined(name: string): boolean {
    return this.defines.has(name);
  }

  define(name: string, text: string, parameters: readonly string[] | null = null): void {
    this.defines.set(name, { text, parameters });
    this.needsExpansion = true;
  }

  undefine(name: string): void {
    this.defines.delete(name);
  }

  /** Reads GNU as's `.macro name a, b=1, c:req, d:vararg`, its name being read, and the body. */
  readGas(a: TextAssembler): void {
    if (!a.nextName()) throw a.unexpected("the name of a macro");
    const name = a.name().toLowerCase();
    a.accept(44);
    const parameters = readParameters(a);
    const { text: body, firstLine } = a.readBody([".macro"], [".endm", ".endmacro"]);
    if (this.gas.has(name)) throw asmError("ERR_ASM_MACRO", `macro ${name} is already defined`);
    this.hasMacros = true;
    this.gas.set(name, { kind: "gas", parameters, body, file: a.frame.file, firstLine });
  }

  purge(name: string): void {
    if (this.gas.delete(name.toLowerCase())) return;
    throw asmError("ERR_ASM_MACRO", `there is no macro ${name}`);
  }

  /** Reads NASM's `%macro name 1-3+ default, default` and the body. */
  readNasm(a: TextAssembler): void {
    a.skipBlanks();
    const match = /^([^\s;%]+)\s+(\d{1,5})(?:-(\d{1,5}|\*))?(\+)?(?:\.nolist)?[ \t]*([^;]*)/.exec(
      a.restOfLine(),
    );
    if (match === null) {
      throw asmError("ERR_ASM_MACRO", "a macro needs a name and a number of parameters", "%macro name 2");
    }
    const [, name, minimum, maximum, greedy, defaults] = match;
    const { text: body, firstLine } = a.readBody(["%macro", "%imacro"], ["%endmacro", "%endm"]);
    const key = name!.toLowerCase();
    const macro: NasmMacro = {
      kind: "nasm",
      minimum: Number(minimum),
      maximum: maximum === "*" ? Number.MAX_SAFE_INTEGER : Number(maximum ?? minimum),
      isGreedy: greedy !== undefined,
      defaults: defaults!.trim() === "" ? [] : splitArguments(defaults!, "nasm"),
      body,
      file: a.frame.file,
      firstLine,
    };
    this.hasMacros = true;
    this.nasm.set(key, [macro, ...(this.nasm.get(key) ?? [])]);
  }

  /** Expands the macro of that name with the arguments that follow, if there is one. */
  call(a: TextAssembler, name: string): boolean {
    const key = name.toLowerCase();
    const gas = this.gas.get(key);
    if (gas !== undefined) {
      const values = bind(gas, name, gasArguments(a.restOfStatement(), gas.parameters.length));
      open(a, gas, name, substitute(gas.body, values, this.calls++));
      return true;
    }
    const overloads = this.nasm.get(key);
    if (overloads === undefined) return false;
    const given = a.restOfStatement();
    const values = given.trim() === "" ? [] : splitArguments(given, "nasm");
    const macro = overloads.find(
      ({ minimum, maximum, isGreedy }) => values.length >= minimum && (isGreedy || values.length <= maximum),
    );
    if (macro === undefined) {
      throw asmError("ERR_ASM_MACRO", `no macro ${name} takes ${values.length} arguments`);
    }
    open(a, macro, name, substituteNasm(macro, values, this.calls++));
    return true;
  }

  /** A line with `%define`d names replaced; directives expand their own arguments. Throws `ERR_ASM_LIMIT` if it grows without end. */
  expandLine(line: string): string {
    if (/^\s*%/.test(line)) return line;
    return this.expand(line);
  }

  expand(text: string): string {
    return this.expandText(text, new Set());
  }

  private expandText(text: string, hidden: ReadonlySet<string>): string {
    let result = "";
    let at = 0;
    const token =
      /"[^"\n]*"|'[^'\n]*'|`[^`\n]*`|;.*|[A-Za-z_.?@\u0080-\uffff][\w.?$#@~\u0080-\uffff]*|[0-9$][\w$]*/g;
    for (let match = token.exec(text); match !== null; match = token.exec(text)) {
      const define = hidden.has(match[0]) ? undefined : this.defines.get(match[0]);
      if (define === undefined) continue;
      let replacement = define.text;
      let end = token.lastIndex;
      if (define.parameters !== null) {
        const call = readCall(text, end);
        if (call === undefined || call.values.length !== define.parameters.length) continue;
        const { parameters } = define;
        const values = call.values.map((value) => this.expandText(value, hidden));
        replacement = replacement.replace(
          /[A-Za-z_.?@][\w.?$#@~]*/g,
          (name) => values[parameters.indexOf(name)] ?? name,
        );
        end = call.end;
      }
      result += text.slice(at, match.index) + this.expandText(replacement, new Set([...hidden, match[0]]));
      if (result.length > MAX_LINE) throw asmError("ERR_ASM_LIMIT", "a line expands without end");
      at = token.lastIndex = end;
    }
    return result + text.slice(at);
  }
}

function open(a: TextAssembler, macro: GasMacro | NasmMacro, name: string, text: string): void {
  if (text.length > MAX_BODY) throw asmError("ERR_ASM_LIMIT", `macro ${name} expands to too much text`);
  a.openFrame({ file: macro.file, firstLine: macro.firstLine, name, text });
}

function readParameters(a: TextAssembler): Parameter[] {
  const parameters: Parameter[] = [];
  while (!a.atEnd()) {
    if (!a.nextName()) throw a.unexpected("the name of a parameter");
    const name = a.name();
    let kind = "";
    let initial = "";
    if (a.accept(58)) {
      if (!a.nextName() || !(a.nameIs("req") || a.nameIs("vararg"))) throw a.unexpected("req or vararg");
      kind = a.name().toLowerCase();
    }
    if (a.accept(61)) initial = a.readMacroArgument();
    parameters.push({ name, initial, isRequired: kind === "req", isRest: kind === "vararg" });
    a.accept(44);
  }
  return parameters;
}

/** Values of the parameters, by name. Throws `ERR_ASM_MACRO`. */
function bind(macro: GasMacro, name: string, given: readonly string[]): Map<string, string> {
  const values = new Map(macro.parameters.map((parameter) => [parameter.name, parameter.initial]));
  let position = 0;
  for (let i = 0; i < given.length; i++) {
    const keyword = /^([\w.$]+)\s*=(?!=)\s*([\s\S]*)$/.exec(given[i]!);
    if (keyword && values.has(keyword[1]!)) {
      values.set(keyword[1]!, keyword[2]!);
      continue;
    }
    const parameter = macro.parameters[position++];
    if (parameter === undefined) {
      if (given.length === 1 && given[0] === "") break;
      throw asmError(
        "ERR_ASM_MACRO",
        `macro ${name} takes ${macro.parameters.length} arguments, not ${given.length}`,
      );
    }
    const value = parameter.isRest ? given.slice(i).join(",") : given[i]!;
    if (value !== "") values.set(parameter.name, value);
    if (parameter.isRest) break;
  }
  const missing = macro.parameters.find(
    (parameter) => parameter.isRequired && values.get(parameter.name) === "",
  );
  if (missing) throw asmError("ERR_ASM_MACRO", `macro ${name} needs an argument for ${missing.name}`);
  return values;
}

/** Commas separate arguments; where there is none, blanks do. */
function gasArguments(text: string, parameters: number): string[] {
  const values = splitArguments(text, "gas");
  if (values.length > 1 || parameters < 2) return values;
  const isBlank = (character: string) => character === " " || character === "\t" || character === "\r";
  return splitAt(text, "gas", isBlank)
    .filter((value) => value !== "")
    .map((value) => unwrap(value, "gas"));
}

/** Replaces `\name`, `\@` and `\()` in a body. */
export function substitute(body: string, values: ReadonlyMap<string, string>, call: number): string {
  return body.replace(/\\(@|\(\)|[A-Za-z_.$][\w.$]*)/g, (found, name: string) => {
    if (name === "@") return String(call);
    if (name === "()") return "";
    return values.get(name) ?? found;
  });
}

function substituteNasm(macro: NasmMacro, given: readonly string[], call: number): string {
  let values = [...given];
  if (macro.isGreedy && values.length > macro.maximum) {
    const rest = values.slice(macro.maximum - 1).join(",");
    values = [...values.slice(0, macro.maximum - 1), rest];
  }
  const most = Math.min(macro.maximum, macro.minimum + macro.defaults.length);
  for (let i = values.length; i < most; i++) values.push(macro.defaults[i - macro.minimum] ?? "");
  return macro.body.replace(
    /%(?:%(\w+)|(\d+)|\{(\d+)\})/g,
    (_, local: string, number: string, braced: string) => {
      if (local !== undefined) return `..@${call}.${local}`;
      const index = Number(number ?? braced);
      return index === 0 ? String(values.length) : (values[index - 1] ?? "");
    },
  );
}

/** The arguments of `name(a, b)` whose opening parenthesis is at or behind `at`. */
function readCall(text: string, at: number): { values: string[]; end: number } | undefined {
  while (text[at] === " " || text[at] === "\t") at++;
  if (text[at] !== "(") return undefined;
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    if (text[i] === "(") depth++;
    else if (text[i] === ")" && --depth === 0) {
      const inner = text.slice(at + 1, i);
      return { values: inner.trim() === "" ? [] : splitArguments(inner, "nasm"), end: i + 1 };
    }
  }
  return undefined;
}

/** Splits a macro's arguments at commas outside of strings and parentheses (NASM: and braces). */
export function splitArguments(text: string, dialect: "gas" | "nasm"): string[] {
  return splitAt(text, dialect, (character) => character === ",").map((value) =>
    unwrap(value.trim(), dialect),
  );
}

/** Splits where `separates` holds, outside of strings and parentheses (NASM: and braces). */
function splitAt(text: string, dialect: "gas" | "nasm", separates: (character: string) => boolean): string[] {
  const values: string[] = [];
  const [opening, closing] = dialect === "nasm" ? ["({", ")}"] : ["(", ")"];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === '"' || character === "'" || (character === "`" && dialect === "nasm")) {
      i = closingQuote(text, i, dialect);
    } else if (opening.includes(character)) depth++;
    else if (closing.includes(character) && depth > 0) depth--;
    else if (depth === 0 && separates(character)) {
      values.push(text.slice(from, i));
      from = i + 1;
    }
  }
  values.push(text.slice(from));
  return values;
}

/** GNU as: an argument in double quotes is what the quotes hold; NASM: one in braces, what the braces hold. */
function unwrap(value: string, dialect: "gas" | "nasm"): string {
  const [open, close] = dialect === "nasm" ? ["{", "}"] : ['"', '"'];
  const isWhole = value.length >= 2 && value.startsWith(open) && value.endsWith(close);
  return isWhole && (dialect === "nasm" || closingQuote(value, 0, dialect) === value.length - 1)
    ? value.slice(1, -1)
    : value;
}

function closingQuote(text: string, start: number, dialect: "gas" | "nasm"): number {
  const quote = text[start]!;
  if (dialect === "gas" && quote === "'") {
    return Math.min(text.length - 1, text[start + 2] === "'" ? start + 2 : start + 1);
  }
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === "\\" && dialect === "gas") i++;
    else if (text[i] === quote) return i;
  }
  return text.length - 1;
}
