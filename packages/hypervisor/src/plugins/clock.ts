/** The plugin `clock`: the time. */
import { errno } from "../host/errno.js";
import { definePlugin } from "../plugin.js";
import { syscallArguments } from "./syscall-arguments.js";

/** Clocks of clock_gettime(2): those that tell the time of day, and those that count from some start. */
const DAY_CLOCKS: readonly number[] = [0, 5];
const COUNTING_CLOCKS: readonly number[] = [1, 2, 3, 4, 6, 7];

/** CLOCK_REALTIME. */
const REALTIME = 0;

const NS_PER_MS = 1_000_000;
const NS_PER_US = 1000n;
const NS_PER_SECOND = 1_000_000_000n;
/** struct timeval, and struct timezone: obsolete, zero. */
const TIMEZONE_BYTES = 8;

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
    gettimeofday: {
      syscall: "gettimeofday",
      args: syscallArguments("gettimeofday"),
      errors: ["EFAULT"],
      doc: "gettimeofday(2). Either pointer may be null; the time zone is UTC.",
      handle({ state, user }, { tv, tz }) {
        const ns = nowNs(REALTIME, state.startMs);
        if (tv !== 0n) user.write(tv, words(ns / NS_PER_SECOND, (ns % NS_PER_SECOND) / NS_PER_US));
        if (tz !== 0n) user.write(tz, new Uint8Array(TIMEZONE_BYTES));
      },
    },
    time: {
      syscall: "time",
      args: syscallArguments("time"),
      errors: ["EFAULT"],
      doc: "time(2). The pointer may be null.",
      handle({ state, user }, { tloc }) {
        const seconds = nowNs(REALTIME, state.startMs) / NS_PER_SECOND;
        if (tloc !== 0n) user.write(tloc, words(seconds));
        return seconds;
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

/** Little-endian 64-bit words. */
function words(...values: readonly bigint[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8 * values.length));
  for (const [index, value] of values.entries()) bytes.setBigInt64(8 * index, value, true);
  return new Uint8Array(bytes.buffer);
}
