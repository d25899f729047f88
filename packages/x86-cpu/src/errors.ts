/** What this package throws: `CpuError` for the caller's mistakes, `InternalError` for its own. */

/** Codes and what to do about each; the messages are built from the facts at the place of the error. */
export const CPU_ERRORS = {
  ERR_CPU_MEMORY_SIZE: "Guest memory is a multiple of 4 KiB, at least 4 KiB and at most 3.5 GiB.",
  ERR_CPU_MEMORY_REGION: "A region is page-aligned, lies inside the memory and overlaps no other region.",
  ERR_CPU_MEMORY_LAYOUT:
    "Make the memory with CpuMemory.create(); it is laid out for this version of the package.",
  ERR_CPU_STATE: "The processor cannot hold this state; the message names the field and what it may be.",
  ERR_CPU_MSR: "This processor has no such model-specific register.",
  ERR_CPU_BUDGET: "A budget is a whole number of instructions from 1 to 2^53 - 1.",
  ERR_CPU_INTERRUPT: "Inject a vector from 0 to 255, when the interrupt window is open.",
  ERR_CPU_SNAPSHOT:
    "Restore what snapshot() gave, in the same package version, into a processor with as much memory.",
  ERR_CPU_ENGINE: "Choose another engine, or allow WebAssembly code generation.",
} as const;

export type CpuErrorCode = keyof typeof CPU_ERRORS;
export type CpuErrorFacts = Readonly<Record<string, number | bigint | string>>;

/** The caller asked for what this processor cannot do. `facts` has what was found, `remedy` what to do. */
export class CpuError extends Error {
  override readonly name = "CpuError";
  readonly code: CpuErrorCode;
  readonly facts: CpuErrorFacts;
  readonly remedy: string;
  constructor(code: CpuErrorCode, problem: string, facts: CpuErrorFacts = {}) {
    super(`${problem}. ${CPU_ERRORS[code]}`);
    this.code = code;
    this.facts = facts;
    this.remedy = CPU_ERRORS[code];
  }
}

/** An invariant of this package is broken. */
export class InternalError extends Error {
  override readonly name = "InternalError";
}
