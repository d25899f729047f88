/** Lets every n-th call of some fail, to see whether the program minds. */
import { definePlugin, errno } from "@kvmkit/hypervisor";

export default definePlugin({
  name: "fault-injector",
  version: "1.0.0",
  abi: 1,
  options: (given) => given as { readonly calls: readonly string[]; readonly every: number },
  state: () => ({ seen: 0 }),
  middleware: [
    {
      on: "*",
      handle({ state, options }, { name }, next) {
        if (options.calls.includes(name) && ++state.seen % options.every === 0) throw errno("EIO");
        return next();
      },
    },
  ],
});
