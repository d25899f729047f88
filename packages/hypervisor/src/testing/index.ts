/** For tests of plugins: no machine, no device, no native code. */
export { type FuzzEscape, type FuzzOptions, type FuzzReport, fuzzHypercalls } from "./fuzz.js";
export { type HarnessOptions, PluginHarness } from "./harness.js";
