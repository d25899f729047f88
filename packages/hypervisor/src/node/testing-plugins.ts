/** Plugins that a worker imports, for the tests of run(). */
import { threadId } from "node:worker_threads";
import { t } from "../argument-types.js";
import { definePlugin } from "../plugin.js";

const base = { version: "1.0.0", abi: 1 } as const;
const source = (name: string) => ({ module: import.meta.url, export: name });

/** Says where and with which options it lives. */
export const whereabouts = definePlugin({
  ...base,
  name: "whereabouts",
  options: (options) => (options ?? {}) as { value?: number },
  hypercalls: {
    thread: { args: {}, handle: () => threadId },
    option: { args: {}, handle: ({ options }) => options.value ?? 0 },
  },
});

/** Waits before it answers. */
export const sleeper = definePlugin({
  ...base,
  name: "sleeper",
  source: source("sleeper"),
  hypercalls: {
    double: {
      args: { value: t.u32 },
      async handleAsync(_, { value }) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        return value * 2;
      },
    },
    forever: { args: {}, handleAsync: () => new Promise<number>(() => {}) },
  },
});

/** Ends its thread. */
export const quitter = definePlugin({
  ...base,
  name: "quitter",
  source: source("quitter"),
  hypercalls: { quit: { args: {}, handle: () => process.exit(3) } },
});

export const notPlugin = { name: "no" };
