/** The texts being read: files, and what macros and repetitions expand to. */
import { asmError, type CallSite } from "../errors.js";
import { encodeText } from "./reader.js";

/** Gives the texts of a repetition one after the other, then `null`. */
export type NextText = () => string | null;

export interface Frame {
  readonly index: number;
  /** Name of the file that the lines are numbered in. */
  readonly file: string;
  /** Line number of the first line of its text. */
  firstLine: number;
  /** What opened it: a macro's name, `include`, `rept`…; empty for the main file. */
  readonly name: string;
  readonly parent: Frame | null;
  /** Where it was opened in the parent. */
  calledFrom: CallSite | null;
  readonly next: NextText | null;
  /** Ends with a newline. */
  text: string;
  codes: Uint8Array;
  /** Where reading goes on, while another frame is being read. */
  at: number;
  line: number;
  lineStart: number;
  /** Conditions that were open when it was opened. */
  readonly conditions: number;
  depth: number;
}

const MAX_DEPTH = 200;

const NOTHING = new Uint8Array(0);

/** Gives a frame its text, or the next one of a repetition, which is often the same. */
export function setFrameText(frame: Frame, text: string): void {
  const ended = text.endsWith("\n") ? text : `${text}\n`;
  if (ended === frame.text) return;
  frame.text = ended;
  frame.codes = encodeText(ended);
}

/** All frames of a program, by number, so that positions can be found later. */
export class FrameList {
  readonly frames: Frame[] = [];

  open(
    parent: Frame | null,
    opened: {
      file: string;
      firstLine: number;
      name: string;
      text: string;
      next?: NextText;
      conditions: number;
    },
  ): Frame {
    const depth = parent === null ? 0 : parent.depth + 1;
    if (depth > MAX_DEPTH) {
      throw asmError(
        "ERR_ASM_LIMIT",
        `macros and includes are nested more than ${MAX_DEPTH} deep`,
        "look for a macro or a file that uses itself without end",
      );
    }
    const { file, firstLine, name, conditions } = opened;
    const frame: Frame = {
      index: this.frames.length,
      file,
      firstLine,
      name,
      parent,
      calledFrom: parent === null ? null : { file: parent.file, line: parent.line, name },
      next: opened.next ?? null,
      text: "",
      codes: NOTHING,
      at: 0,
      line: firstLine,
      lineStart: 0,
      conditions,
      depth,
    };
    setFrameText(frame, opened.text);
    this.frames.push(frame);
    return frame;
  }
}

/** The calls that led to a frame, innermost first. */
export function callStack(frame: Frame): CallSite[] {
  const stack: CallSite[] = [];
  for (let at: Frame | null = frame; at !== null; at = at.parent) {
    if (at.calledFrom !== null && at.name !== "") stack.push(at.calledFrom);
  }
  return stack;
}
