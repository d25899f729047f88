/** All rows of the core entry, in the families of SDM Vol. 1, chapter "Instruction Set Summary". */
import type { Row } from "../notation.js";
import { amd3dnow } from "./3dnow.js";
import { arithmetic } from "./arithmetic.js";
import { bmi } from "./bmi.js";
import { controlFlow } from "./control-flow.js";
import { crypto } from "./crypto.js";
import { dataTransfer } from "./data-transfer.js";
import { mmx } from "./mmx.js";
import { shift } from "./shift.js";
import { sse } from "./sse.js";
import { sse4 } from "./sse4.js";
import { string } from "./string.js";
import { system } from "./system.js";
import { x87 } from "./x87.js";

/** Rows by the name of their family. */
export const families: Readonly<Record<string, readonly Row[]>> = {
  "data-transfer": dataTransfer,
  arithmetic,
  shift,
  bmi,
  "control-flow": controlFlow,
  string,
  system,
  x87,
  mmx,
  sse,
  sse4,
  crypto,
  "3dnow": amd3dnow,
};

export const coreRows: readonly Row[] = Object.values(families).flat();
