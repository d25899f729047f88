/**
 * Recorded cases: what /dev/kvm and the software processor have agreed on, so that machines without the device can tell
 * when the processor changes. A line is `bytes | index | seed | digest`: the case's bytes, its place in the batch, the seed of its
 * registers and data, and a digest of all that the software processor left behind.
 */
import { type Case, emptyImage, type Outcome, outcome, outputOf, writeCase } from "./batch.js";
import { BATCH, Output, Stride, writeVariables } from "./image.js";
import type { Processor } from "./processors.js";

export interface Vector extends Case {
  readonly index: number;
  readonly digest: string;
}

export function parseVectors(text: string): Vector[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [bytes, index, seed, digest] = line.split("|").map((part) => part.trim());
      const code = bytes!.split(" ").map((byte) => Number.parseInt(byte, 16));
      return { bytes: code, index: Number(index), seed: Number.parseInt(seed!, 16), digest: digest! };
    });
}

export function formatVector({ bytes, index, seed, digest }: Vector): string {
  const code = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `${code} | ${index} | ${seed.toString(16)} | ${digest}`;
}

/** FNV-1a, 32 bits twice with different starts. */
class Digest {
  private a = 0x811c9dc5;
  private b = 0x1000193;

  add(bytes: Uint8Array): this {
    for (const byte of bytes) {
      this.a = Math.imul(this.a ^ byte, 0x01000193);
      this.b = Math.imul(this.b ^ byte, 0x85ebca6b) ^ (this.b >>> 13);
    }
    return this;
  }

  toString(): string {
    return [this.a, this.b].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

const NO_VECTOR = -1n;
const PAGE_FAULT = 14n;

/** Whether a processor leaves behind what was recorded. */
export function replays(processor: Processor, vector: Vector): boolean {
  return digestOf(runAlone(processor, vector.index, vector), vector.index) === vector.digest;
}

/** Everything that a case left in its output block and its data; of a fault's fields only those that it set. */
export function digestOf(result: Outcome, index: number): string {
  const view = outputOf(result, index);
  const output = new Uint8Array(view.buffer, view.byteOffset, Output.end).slice();
  const vector = view.getBigInt64(Output.vector, true);
  if (vector === NO_VECTOR) output.fill(0, Output.error, Output.cr2);
  if (vector !== PAGE_FAULT) output.fill(0, Output.cr2, Output.taken);
  const data = result.data.subarray(index * Stride.data, (index + 1) * Stride.data);
  return new Digest().add(output).add(data).toString();
}

/** Runs one case alone, at its place in the batch; the outcome of its batch. */
export function runAlone(processor: Processor, index: number, one: Case): Outcome {
  const memory = emptyImage();
  writeCase(memory, index % BATCH, one);
  writeVariables(memory, 1, index);
  processor.run(memory);
  return outcome(memory);
}
