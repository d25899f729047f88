import { type COMMON_OPTIONS, defineCommand, type Invocation, type OptionRows } from "../define-command.js";
import { ACCEL_OPTION, MEMORY_OPTION, TIMEOUT_OPTION, TIMINGS_OPTION } from "./machine-options.js";

const options = {
  ...ACCEL_OPTION,
  ...MEMORY_OPTION,
  ...TIMEOUT_OPTION,
  explain: { doc: "Print what the guest is granted, and do not run it." },
  ...TIMINGS_OPTION,
} as const satisfies OptionRows;

export type RunInvocation = Invocation<typeof options & typeof COMMON_OPTIONS>;

export const run = defineCommand({
  name: "run",
  summary: "Run what a manifest describes, building first what is missing",
  about: [
    "Options stand above the manifest's keys of the same name. Arguments behind -- are added to the manifest's own.",
  ],
  args: [{ name: "manifest", doc: "The manifest. Default: vm.toml in the current folder.", optional: true }],
  rest: "More arguments for the program.",
  options,
  examples: [
    { command: "kvm run", doc: "Run ./vm.toml." },
    { command: "kvm run --explain examples/os-release/vm.toml", doc: "Print what a manifest grants." },
  ],
  async run(invocation) {
    const { runManifest } = await import("./machine.js");
    return runManifest(invocation);
  },
});
