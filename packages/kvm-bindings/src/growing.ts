/** Lists whose length only the kernel knows: E2BIG asks for more room (KVM api.rst 4.3, 4.46). */
import { KvmError } from "./errors.js";

const E2BIG = 7;
const MOST = 65536;

/** `attempt` with doubled capacity until the kernel is content; its error once even MOST is not enough. */
export function growing<T>(capacity: number, attempt: (capacity: number) => T): T {
  for (let room = capacity; ; room *= 2) {
    try {
      return attempt(room);
    } catch (error) {
      const tooSmall = error instanceof KvmError && error.errno === E2BIG && room < MOST;
      if (!tooSmall) throw error;
    }
  }
}
