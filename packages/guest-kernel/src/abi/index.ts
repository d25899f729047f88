/** What host and guest agree on, as pure data. */
export * from "./boot-info.js";
export * from "./control-registers.js";
export * from "./errno.js";
export * from "./hypercalls.js";
export * from "./memory-layout.js";
export * from "./mman.js";
export * from "./signals.js";
export * from "./syscalls.js";
