/** What a file's ending says about an assembly source. */
import { extname } from "node:path";

const NASM = [".asm", ".nasm"];
const GAS = [".s", ".S"];

export function isSource(path: string): boolean {
  return [...GAS, ...NASM].includes(extname(path));
}

export function dialectOf(path: string): "gas" | "nasm" {
  return NASM.includes(extname(path)) ? "nasm" : "gas";
}
