/** A batch of cases in a memory image, and what came out of it. */
import type { Form } from "../../forms.js";
import { fillData, fxsaveImage } from "./floats.js";
import { caseBytes, type Mix, writeInput, writeSlot } from "./generate.js";
import { At, BATCH, MEMORY, Output, Stride, writeImage, writeVariables } from "./image.js";
import { Random } from "./random.js";

export interface Batch {
  readonly memory: Uint8Array;
  readonly bytes: readonly (readonly number[])[];
}

/** Makes a batch. The same numbers give the same batch. */
export function makeBatch(
  seed: number,
  number: number,
  mix: Mix,
  choices: readonly Form[],
  count = BATCH,
): Batch {
  const memory = new Uint8Array(MEMORY);
  const view = new DataView(memory.buffer);
  writeImage(memory);
  writeVariables(memory, count);
  const data = new Random(seed, number, 1);
  fillData(data, view, At.data, At.dataEnd - At.data);
  const bytes: number[][] = [];
  for (let index = 0; index < count; index++) {
    const r = new Random(seed, number, 2, index);
    const code = caseBytes(r, mix, choices);
    bytes.push(code);
    writeSlot(memory, index, code);
    writeInput(r, memory, index, (random, at) => fxsaveImage(random, view, at));
  }
  return { memory, bytes };
}

/** What a batch left behind: output blocks and data. */
export interface Outcome {
  readonly output: Uint8Array;
  readonly data: Uint8Array;
}

export function outcome(memory: Uint8Array): Outcome {
  return {
    output: memory.slice(At.output, At.output + BATCH * Stride.output),
    data: memory.slice(At.data, At.dataEnd),
  };
}

export function outputOf({ output }: Outcome, index: number): DataView {
  return new DataView(output.buffer, output.byteOffset + index * Stride.output, Output.end);
}
