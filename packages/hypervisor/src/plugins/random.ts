/** The plugin `random`: random bytes from the host. */
import { errno } from "../host/errno.js";
import { definePlugin } from "../plugin.js";
import { syscallArguments } from "./syscall-arguments.js";

/** getrandom(2): GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE. */
const GRND_ALL = 7;
/** crypto.getRandomValues() gives no more at once. */
const CHUNK_BYTES = 65_536;

export const random = definePlugin({
  name: "random",
  version: "1.0.0",
  abi: 1,
  source: { module: import.meta.url, export: "random" },
  doc: "Random bytes from the host.",
  hypercalls: {
    getrandom: {
      syscall: "getrandom",
      args: syscallArguments("getrandom"),
      errors: ["EINVAL", "EFAULT"],
      doc: "getrandom(2)",
      handle(_, { buf, flags }) {
        if (flags & ~GRND_ALL) throw errno("EINVAL");
        const bytes = new Uint8Array(Math.min(buf.length, CHUNK_BYTES));
        for (let at = 0; at < buf.length; at += CHUNK_BYTES) {
          buf.write(crypto.getRandomValues(bytes).subarray(0, buf.length - at), at);
        }
        return buf.length;
      },
    },
  },
});
