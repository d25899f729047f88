/** Addresses as objdump and gdb write them. */
import type { SymbolPlace } from "@kvmkit/hypervisor";

export function hex(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}

/** `<main+0x4>`. */
export function symbolText({ name, offset }: SymbolPlace): string {
  return offset === 0 ? `<${name}>` : `<${name}+0x${offset.toString(16)}>`;
}
