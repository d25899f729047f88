/**
 * What kvmkit itself prints. stdout is the guest's while one runs: everything of ours that is not a command's
 * result goes to stderr. Colour and progress only on a terminal (and never under NO_COLOR, https://no-color.org).
 */
import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

export interface Stream {
  readonly isTTY?: boolean | undefined;
  write(data: string | Uint8Array): unknown;
}

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly #stdout: Stream;
  readonly #stderr: Stream;
  readonly #colour: boolean;
  #progressShown = false;

  constructor(streams: { stdout: Stream; stderr: Stream }, { json, quiet, env }: OutputOptions) {
    this.#stdout = streams.stdout;
    this.#stderr = streams.stderr;
    this.json = json;
    this.quiet = quiet;
    this.#colour = streams.stderr.isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  }

  /** A command's result: text on stdout. */
  result(text: string): void {
    this.clearProgress();
    this.#stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  }

  /** A command's result that is not text. */
  resultBytes(bytes: Uint8Array): void {
    this.clearProgress();
    this.#stdout.write(bytes);
  }

  /** A command's result under --json. bigints become "0x…" strings. */
  resultJson(value: unknown): void {
    this.result(toJson(value));
  }

  /** A line about what was done; --quiet and --json leave it out. */
  note(text: string): void {
    if (this.quiet || this.json) return;
    this.#line(text);
  }

  /** A line that matters even under --quiet. */
  warn(text: string): void {
    this.#line(`${this.paint("yellow", "kvm:")} ${text}`);
  }

  error(text: string): void {
    this.#line(`${this.paint("red", "kvm:")} ${text}`);
  }

  /** A text on stderr as it is. */
  diagnostic(text: string): void {
    this.#line(text);
  }

  /** What is being done right now: one line, overwritten by the next, on a terminal only. */
  progress(text: string): void {
    if (this.#stderr.isTTY !== true || this.quiet || this.json) return;
    this.#stderr.write(`\r\u001b[K${this.paint("dim", text)}`);
    this.#progressShown = true;
  }

  clearProgress(): void {
    if (!this.#progressShown) return;
    this.#stderr.write("\r\u001b[K");
    this.#progressShown = false;
  }

  paint(style: Style, text: string): string {
    // Which stream it is for was looked at here; styleText itself would look at stdout.
    return this.#colour ? styleText(style, text, { validateStream: false }) : text;
  }

  #line(text: string): void {
    this.clearProgress();
    this.#stderr.write(`${text}\n`);
  }
}

/** JSON of anything we print: 64-bit values do not fit into JSON numbers and are written as "0x…". */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, field) => {
    return typeof field === "bigint" ? `0x${BigInt.asUintN(64, field).toString(16)}` : field;
  });
}
