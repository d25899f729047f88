export { KernelBuildError, type KernelBuildErrorCode } from "./errors.js";
export type { KernelImage, KernelSegment, KernelSymbol } from "./image.js";
export { buildKernel, type KernelOptions } from "./kernel.js";
