export { KERNEL_ERRORS, KernelBuildError, type KernelBuildErrorCode } from "./errors.js";
export { type KernelImage, type KernelSegment, type KernelSymbol, SEGMENT_FLAGS } from "./image.js";
export { buildKernel, type KernelDebugOptions, type KernelOptions } from "./kernel.js";
