/** A run's result in words. A guest that ended by itself, or was interrupted by the user, is nothing to talk about. */
import type { BacktraceEntry, RunResult } from "@kvmkit/hypervisor";
import { hex, symbolText } from "./addresses.js";
import { describeFault } from "./describe-fault.js";

type Killed = Extract<RunResult, { kind: "killed" }>;
type Panic = Extract<RunResult, { kind: "panic" }>;
type Registers = Killed["registers"];

/** What was allowed, to say which limit was reached: `wall` in milliseconds and so on, as text. */
export type LimitTexts = Readonly<Partial<Record<string, string>>>;

/** Lines for stderr; none where there is nothing to say. */
export function describeResult(result: RunResult, limits: LimitTexts): string[] {
  switch (result.kind) {
    case "exited":
    case "halted":
    case "aborted":
      return [];
    case "killed":
      return describeKilled(result);
    case "limit":
      return [
        `the ${LIMIT_NAMES[result.limit] ?? result.limit} limit${amount(limits[result.limit])} was reached`,
      ];
    case "panic":
      return describePanic(result);
    case "error":
      return [`${result.error.message}  ${result.error.code}`];
  }
}

const LIMIT_NAMES: Readonly<Record<string, string>> = { wall: "time", cpu: "processor time" };

function amount(text: string | undefined): string {
  return text === undefined ? "" : ` of ${text}`;
}

function describeKilled(result: Killed): string[] {
  // As a shell does: the reader of a pipe that closed it knows.
  if (result.signalName === "SIGPIPE") return [];
  if (result.reason === "out-of-memory") return ["the program was killed: the machine has no memory left"];
  const what = result.reason === "fault" ? `: ${describeFault(result)}` : "";
  return [`the program was killed by ${result.signalName}${what}`, ...registerLines(result.registers)];
}

function describePanic({ message, registers, backtrace }: Panic): string[] {
  return [
    `the kernel panicked: ${message}`,
    ...registerLines(registers),
    ...backtrace.map((entry) => `     at ${place(entry)}`),
  ];
}

function place({ address, symbol }: BacktraceEntry): string {
  return symbol === undefined ? hex(address) : `${hex(address)} ${symbolText(symbol)}`;
}

const REGISTERS_PER_LINE = 3;

function registerLines(registers: Registers): string[] {
  const known = Object.entries(registers).map(([name, value]) => {
    return `${name.padStart(6)} ${BigInt.asUintN(64, value).toString(16).padStart(16, "0")}`;
  });
  const lines: string[] = [];
  for (let at = 0; at < known.length; at += REGISTERS_PER_LINE) {
    lines.push(`   ${known.slice(at, at + REGISTERS_PER_LINE).join(" ")}`);
  }
  return lines;
}
