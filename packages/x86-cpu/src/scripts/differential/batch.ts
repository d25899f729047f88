/** A batch of cases in a memory image, and what came out of it. */
import type { Form } from "../../forms.js";
import { fillData, fxsaveImage } from "./floats.js";
import { caseBytes, type Mix, writeInput, writeSlot } from "./generate.js";
import { At, BATCH, MEMORY, Output, Stride, writeImage, writeVariables } from "./image.js";
import { Random } from "./random.js";

/** A case: its bytes, and the seed of its registers and data. */
export interface Case {
  readonly bytes: readonly number[];
  readonly seed: number;
}

export interface Batch {
  readonly memory: Uint8Array;
  readonly cases: readonly Case[];
}

/** Makes a batch. The same numbers give the same batch. */
export function makeBatch(seed: number, number: number, mix: Mix, choices: readonly Form[]): Batch {
  const cases = Array.from({ length: BATCH }, (_, index) => {
    const caseSeed = new Random(seed, number, index).u32();
    return { bytes: caseBytes(new Random(caseSeed, 1), mix, choices), seed: caseSeed };
  });
  const memory = emptyImage();
  cases.forEach((one, index) => {
    writeCase(memory, index, one);
  });
  writeVariables(memory, BATCH);
  return { memory, cases };
}

let blank: Uint8Array | undefined;

/** An image with the harness, and data that no case calls its own. */
export function emptyImage(): Uint8Array {
  if (blank === undefined) {
    blank = new Uint8Array(MEMORY);
    writeImage(blank);
    fillData(new Random(0), new DataView(blank.buffer), SHARED, At.dataEnd - SHARED);
  }
  return blank.slice();
}

const SHARED = At.data + BATCH * Stride.data;

export function writeCase(memory: Uint8Array, index: number, { bytes, seed }: Case): void {
  const view = new DataView(memory.buffer);
  writeSlot(memory, index, bytes);
  writeInput(new Random(seed, 2), memory, index, (random, at) => fxsaveImage(random, view, at));
  fillData(new Random(seed, 3), view, At.data + index * Stride.data, Stride.data);
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
