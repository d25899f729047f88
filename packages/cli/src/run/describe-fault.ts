/** An exception of the program in words. Source: SDM Vol. 3A, "Protected-Mode Exceptions and Interrupts". */
import type { RunResult } from "@kvmkit/hypervisor";
import { hex, symbolText } from "./addresses.js";

type Killed = Extract<RunResult, { kind: "killed" }>;

/** By vector. */
const EXCEPTIONS: Readonly<Record<number, string>> = {
  0: "#DE, a division by zero or one whose result does not fit",
  1: "#DB, a debug exception",
  3: "#BP, a breakpoint",
  4: "#OF, an overflow",
  5: "#BR, a bound that was exceeded",
  6: "#UD, an instruction that does not exist",
  7: "#NM, no floating-point unit",
  8: "#DF, a double fault",
  10: "#TS, a bad task state segment",
  11: "#NP, a segment that is not present",
  12: "#SS, a stack segment fault",
  13: "#GP, a privileged instruction or an address that is not canonical",
  16: "#MF, a floating-point error",
  17: "#AC, an access that is not aligned",
  18: "#MC, a machine check",
  19: "#XM, a SIMD floating-point error",
  21: "#CP, a control protection exception",
};

const PAGE_FAULT = 14;

export function describeFault(fault: Killed): string {
  const { vector, rip, symbol } = fault;
  const at = `at rip ${hex(rip)}${symbol === undefined ? "" : ` ${symbolText(symbol)}`}`;
  if (vector === PAGE_FAULT) return `${describePageFault(fault)}, ${at}`;
  const name = vector === undefined ? "a fault" : (EXCEPTIONS[vector] ?? `exception ${vector}`);
  return `${name}, ${at}`;
}

/** Error code bits: SDM Vol. 3A, "Page-Fault Exceptions". */
const PRESENT = 1n << 0n;
const WRITE = 1n << 1n;
const INSTRUCTION_FETCH = 1n << 4n;

function describePageFault({ errorCode = 0n, address }: Killed): string {
  const access = errorCode & INSTRUCTION_FETCH ? "executed" : errorCode & WRITE ? "wrote to" : "read";
  const reason = errorCode & PRESENT ? "which it may not" : "which is not mapped";
  return `it ${access} ${address === undefined ? "an address" : hex(address)}, ${reason}`;
}
