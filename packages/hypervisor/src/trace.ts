/** What a run did, event by event, for whoever asks: an strace, a timeline, a test. */
import type { RunOutcome } from "./result.js";

export type TraceEvent =
  | {
      readonly kind: "hypercall";
      readonly nr: number;
      readonly name: string;
      readonly plugin: string;
      /** As the handler got them; buffers as their length. */
      readonly args: Readonly<Record<string, unknown>>;
      /** rax as a signed number. */
      readonly result: bigint;
      /** Milliseconds since the first instruction, at the exit, and how long the host took. */
      readonly atMs: number;
      readonly hostMs: number;
    }
  | {
      readonly kind: "populate";
      readonly address: bigint;
      readonly length: number;
      readonly write: boolean;
      readonly atMs: number;
    }
  | {
      readonly kind: "port";
      readonly direction: "in" | "out";
      readonly port: number;
      readonly sizeBytes: number;
      readonly value: number;
      readonly atMs: number;
    }
  /** What a plugin had to say: `ctx.trace()`. */
  | { readonly kind: "plugin"; readonly plugin: string; readonly text: string; readonly atMs: number }
  | { readonly kind: "log"; readonly text: string; readonly atMs: number }
  | { readonly kind: "end"; readonly outcome: RunOutcome["kind"]; readonly atMs: number };

export type TraceSink = (event: TraceEvent) => void;
