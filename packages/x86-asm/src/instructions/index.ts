/** All rows of the core entry, in the families of SDM Vol. 1, chapter "Instruction Set Summary". */
import type { Row } from "../notation.js";
import { arithmetic } from "./arithmetic.js";
import { controlFlow } from "./control-flow.js";
import { dataTransfer } from "./data-transfer.js";
import { shift } from "./shift.js";
import { string } from "./string.js";
import { system } from "./system.js";

export const coreRows: readonly Row[] = [
  ...dataTransfer,
  ...arithmetic,
  ...shift,
  ...controlFlow,
  ...string,
  ...system,
];
