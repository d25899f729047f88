/** Which C compiler makes a program, and how it is called. */
import { statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

/**
 * For programs without a C library. The program is at a fixed address and gets no start-up code, so nothing may call
 * into either: no stack protector (its value lies behind %fs), no position independence.
 */
export const FREESTANDING_CC = [
  "cc",
  "-std=c11",
  "-O2",
  "-Wall",
  "-Wextra",
  "-ffreestanding",
  "-fno-stack-protector",
  "-fno-pie",
  "-static",
  "-nostdlib",
] as const;

/** A text that changes when the compiler does: its path, size and time. Undefined where it is not found. */
export function compilerIdentity(
  command: string,
  dir: string,
  searchPath = process.env["PATH"] ?? "",
): string | undefined {
  const folders = command.includes("/")
    ? [dir]
    : searchPath.split(delimiter).filter((folder) => folder !== "");
  for (const folder of folders) {
    const path = command.includes("/") ? resolve(dir, command) : join(folder, command);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isFile()) return `${path} ${found.size} ${found.mtimeMs}`;
  }
  return undefined;
}
