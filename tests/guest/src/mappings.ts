/** mmap(2) arguments that most tests use. */
import { MAP, PROT } from "@kvmkit/guest-kernel/abi";
import type { Value } from "./guest-program.js";

export const READ_WRITE = PROT.PROT_READ | PROT.PROT_WRITE;
export const ALL_ACCESS = READ_WRITE | PROT.PROT_EXEC;

/** The six arguments for private anonymous memory. */
export function anonymous(address: Value, length: Value, prot: number = READ_WRITE, flags = 0) {
  return [address, length, prot, MAP.MAP_PRIVATE | MAP.MAP_ANONYMOUS | flags, -1, 0] as const;
}
