/** Lists whose length only the kernel knows: E2BIG asks for more room (KVM api.rst 4.3, 4.46). */
import { KvmError } from "./errors.js";

const E2BIG = 7;

/** `attempt` with doubled capacity until the kernel is content; its error once `limit` is not enough either. */
export function growing<T>(capacity: number, limit: number, attempt: (capacity: number) => T): T {
  for (let room = capacity; ; room *= 2) {
    try {
      return attempt(room);
    } catch (error) {
      const tooSmall = error instanceof KvmError && error.errno === E2BIG && room < limit;
      if (!tooSmall) throw error;
    }
  }
}
