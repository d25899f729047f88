/** What is wrong with a request for a kernel. */
export type KernelBuildErrorCode =
  | "ERR_KERNEL_PLUGIN_NUMBER"
  | "ERR_KERNEL_PLUGIN_DUPLICATE"
  | "ERR_KERNEL_TOO_LARGE";

export class KernelBuildError extends Error {
  readonly code: KernelBuildErrorCode;
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
    this.hypercall = hypercall;
  }
}
