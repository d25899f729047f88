/**
 * A run's result as an exit status. A guest's own status passes unchanged; what is not the guest's doing follows
 * timeout(1), env(1) and the shells: 124 a limit, 125 ours, 126 refused, 127 not found, 128 + N signal N.
 */
import type { RunResult } from "@kvmkit/hypervisor";

export const EXIT_STATUS = {
  HALTED: 0,
  LIMIT: 124,
  KVMKIT: 125,
  REFUSED: 126,
  NOT_FOUND: 127,
  SIGNAL_BASE: 128,
  INTERRUPTED: 130,
  OUT_OF_MEMORY: 137,
} as const;

export function exitStatus(result: RunResult): number {
  switch (result.kind) {
    case "exited":
      return result.status & 0xff;
    case "halted":
      return EXIT_STATUS.HALTED;
    case "killed":
      return result.reason === "out-of-memory"
        ? EXIT_STATUS.OUT_OF_MEMORY
        : EXIT_STATUS.SIGNAL_BASE + result.signal;
    case "limit":
      return EXIT_STATUS.LIMIT;
    case "aborted":
      return EXIT_STATUS.INTERRUPTED;
    case "panic":
    case "error":
      return EXIT_STATUS.KVMKIT;
  }
}
