/** Conditional assembly: which parts of the source are read. */
import { asmError } from "../errors.js";
import type { TextAssembler } from "./text-assembler.js";

export interface OpenCondition {
  /** Statement that opened it. */
  readonly statement: number;
  /** One of its branches was read. */
  wasTaken: boolean;
  hasElse: boolean;
}

export interface Conditions {
  readonly stack: OpenCondition[];
}

export function newConditions(): Conditions {
  return { stack: [] };
}

/** Opens a condition, and reads on where it holds. */
export function openCondition(a: TextAssembler, holds: boolean): void {
  a.conditions.stack.push({ statement: a.statements.count, wasTaken: holds, hasElse: false });
  if (!holds) skipBranch(a);
}

/** `.else`, `.elseif`: reached from a branch that was read, so the rest is not. */
export function endBranch(a: TextAssembler): void {
  current(a);
  a.skipLine();
  skipBranch(a);
}

export function closeCondition(a: TextAssembler): void {
  current(a);
  a.conditions.stack.pop();
}

function current(a: TextAssembler): OpenCondition {
  const open = a.conditions.stack.at(-1);
  if (open !== undefined && a.conditions.stack.length > a.frame.conditions) return open;
  throw asmError("ERR_ASM_MACRO", "there is no open condition here");
}

/** Skips statements up to a branch of the open condition that is to be read, or its end. */
function skipBranch(a: TextAssembler): void {
  const open = current(a);
  let depth = 0;
  a.skipStatements((word) => {
    const name = a.dialect.name === "nasm" ? word.replace(/^%/, "") : word.replace(/^\./, "");
    if (name === word) return false;
    if (/^if/.test(name)) depth++;
    else if (name === "endif") {
      if (depth-- > 0) return false;
      a.conditions.stack.pop();
      return true;
    } else if (depth === 0 && name === "else") {
      if (open.hasElse) throw asmError("ERR_ASM_MACRO", "this condition already has an else");
      open.hasElse = true;
      return !open.wasTaken;
    } else if (depth === 0 && /^els?e?if/.test(name) && !open.wasTaken) {
      open.wasTaken = a.evaluateCondition(name.replace(/^els?e?(?=if)/, ""));
      return open.wasTaken;
    }
    return false;
  });
}
