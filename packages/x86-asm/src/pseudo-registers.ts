/** Index registers that stand for none: objdump prints them where a SIB byte has no index (GNU as: -mindex-reg). */
import { Register } from "./registers.js";

const NO_INDEX = 4;

export const eiz: Register = new Register("r32", "eiz", NO_INDEX);
export const riz: Register = new Register("r64", "riz", NO_INDEX);

export function isNoIndex(register: unknown): boolean {
  return register === eiz || register === riz;
}
