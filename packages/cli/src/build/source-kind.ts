/** What a file's ending says about a source. */
import { extname } from "node:path";

const NASM = [".asm", ".nasm"];
const GAS = [".s", ".S"];

/** Whether it is for our own assembler. */
export function isSource(path: string): boolean {
  return [...GAS, ...NASM].includes(extname(path));
}

export function isCSource(path: string): boolean {
  return extname(path) === ".c";
}

export function dialectOf(path: string): "gas" | "nasm" {
  return NASM.includes(extname(path)) ? "nasm" : "gas";
}
