/**
 * The guest's side of plugins as source text: pure functions of what `resolvePlugins()` returns. `kvm build` writes the
 * same files beside a manifest.
 */
export { type AssemblerDialect, assemblerInclude } from "./assembler-include.js";
export { cHeader } from "./c-header.js";
export { cStartHeader } from "./c-start.js";
export type { GuestInterface, NumberedCall, NumberedCalls } from "./guest-interface.js";
export { markdownPage } from "./markdown-page.js";
export { rustModule } from "./rust-module.js";
