/** Tells the program a time of its own: it begins where the manifest says, and goes on by a millisecond for each look. */
import { definePlugin, type OutValue } from "@kvmkit/hypervisor";

type Timespec = OutValue<{ tv_sec: bigint; tv_nsec: bigint }>;

export default definePlugin({
  name: "fake-clock",
  version: "1.0.0",
  abi: 1,
  options: (given) => given as { readonly startSeconds: number },
  state: ({ options }) => ({ ms: BigInt(options.startSeconds) * 1000n }),
  middleware: [
    {
      on: ["clock_gettime"],
      handle({ state }, { args }) {
        state.ms++;
        (args["tp"] as Timespec).set({ tv_sec: state.ms / 1000n, tv_nsec: (state.ms % 1000n) * 1_000_000n });
      },
    },
  ],
});
