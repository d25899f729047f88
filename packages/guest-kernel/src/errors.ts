/** What is wrong with a request for a kernel: every code, what it means and what to do. */
export const KERNEL_ERRORS = {
  ERR_KERNEL_PLUGIN_NUMBER: {
    message: "a plugin's hypercall has a number outside of the plugins' range",
    remedy: "Number it from 0x1000 to 0x1fff; Linux's numbers are served by built-in plugins.",
  },
  ERR_KERNEL_PLUGIN_DUPLICATE: {
    message: "two hypercalls have one number",
    remedy: "Give each its own; kvm.lock.json does.",
  },
  ERR_KERNEL_TOO_LARGE: {
    message: "a segment of the kernel outgrew its 2 MiB page",
    remedy: "Grant fewer hypercalls.",
  },
} as const;

export type KernelBuildErrorCode = keyof typeof KERNEL_ERRORS;

export class KernelBuildError extends Error {
  readonly code: KernelBuildErrorCode;
  /** What to do next. */
  readonly remedy: string;
  /** Name and number of the hypercall that is refused, where it is one. */
  readonly hypercall: { readonly name: string; readonly nr: number } | undefined;

  constructor(
    code: KernelBuildErrorCode,
    message: string,
    hypercall?: { readonly name: string; readonly nr: number },
  ) {
    super(message);
    this.name = "KernelBuildError";
    this.code = code;
    this.remedy = KERNEL_ERRORS[code].remedy;
    this.hypercall = hypercall;
  }
}
