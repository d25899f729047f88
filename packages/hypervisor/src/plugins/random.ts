/** The plugin `random`: random bytes from the host. */
import { t } from "../argument-types.js";
import { errno } from "../host/errno.js";
import { definePlugin } from "../plugin.js";

/** getrandom(2): GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE. */
const GRND_ALL = 7;
/** One call gives no more (getrandom(2), "at most 33554431 bytes"). */
const MAX_BYTES = 33_554_431n;
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
      args: { buf: t.pointer, buflen: t.u64, flags: t.u32 },
      errors: ["EINVAL", "EFAULT"],
      doc: "getrandom(2)",
      handle({ user }, { buf: address, buflen, flags }) {
        if (flags & ~GRND_ALL) throw errno("EINVAL");
        const buf = user.buffer(address, Number(buflen > MAX_BYTES ? MAX_BYTES : buflen), "out");
        const bytes = new Uint8Array(Math.min(buf.length, CHUNK_BYTES));
        for (let at = 0; at < buf.length; at += CHUNK_BYTES) {
          buf.write(crypto.getRandomValues(bytes).subarray(0, buf.length - at), at);
        }
        return buf.length;
      },
    },
  },
});
