/** What this process holds, as /proc has it (proc(5)). */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface Resources {
  /** Descriptors of KVM and eventfds. */
  readonly descriptors: number;
  /** Mappings. */
  readonly mappings: number;
  readonly residentBytes: number;
}

export function resources(): Resources {
  const targets = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ""; // the descriptor of readdir itself
    }
  });
  return {
    descriptors: targets.filter((target) => /kvm|eventfd/.test(target)).length,
    mappings: readFileSync("/proc/self/maps", "utf8").split("\n").length,
    residentBytes: Number(readFileSync("/proc/self/statm", "utf8").split(" ")[1]) * 4096,
  };
}
