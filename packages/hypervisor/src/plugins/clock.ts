/** The plugin `clock`: the time. */
import { errno } from "../host/errno.js";
import { definePlugin } from "../plugin.js";
import { syscallArguments } from "./syscall-arguments.js";

/** Clocks of clock_gettime(2): those that tell the time of day, and those that count from some start. */
const DAY_CLOCKS: readonly number[] = [0, 5];
const COUNTING_CLOCKS: readonly number[] = [1, 2, 3, 4, 6, 7];

const NS_PER_MS = 1_000_000;
const NS_PER_SECOND = 1_000_000_000n;

export const clock = definePlugin({
  name: "clock",
  version: "1.0.0",
  abi: 1,
  source: { module: import.meta.url, export: "clock" },
  doc: "The time of day, and the time since the machine started.",
  state: () => ({ startMs: performance.now() }),
  hypercalls: {
    clock_gettime: {
      syscall: "clock_gettime",
      args: syscallArguments("clock_gettime"),
      errors: ["EINVAL", "EFAULT"],
      doc: "clock_gettime(2). Clocks that do not tell the time of day count from the machine's start.",
      handle({ state }, { clockid, tp }) {
        const ns = nowNs(clockid, state.startMs);
        tp.set({ tv_sec: ns / NS_PER_SECOND, tv_nsec: ns % NS_PER_SECOND });
      },
    },
  },
});

function nowNs(clockid: number, startMs: number): bigint {
  const nowMs = performance.now();
  if (DAY_CLOCKS.includes(clockid)) return toNs(performance.timeOrigin + nowMs);
  if (COUNTING_CLOCKS.includes(clockid)) return toNs(nowMs - startMs);
  throw errno("EINVAL");
}

/** Whole milliseconds apart, because a number does not hold nanoseconds since 1970. */
function toNs(ms: number): bigint {
  const whole = Math.floor(ms);
  return BigInt(whole) * BigInt(NS_PER_MS) + BigInt(Math.floor((ms - whole) * NS_PER_MS));
}
