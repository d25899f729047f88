import { defineCommand } from "../define-command.js";
import { TIMINGS_OPTION } from "./machine-options.js";

export const build = defineCommand({
  name: "build",
  summary: "Build the kernel and the programs of manifests",
  about: [
    "Without arguments ./vm.toml is built, and every manifest that its [workspace] names. What was built lies in .kvmkit beside the manifest, by the hash of all that went into it: a second build does nothing.",
  ],
  args: [{ name: "manifest", doc: "Manifests to build.", optional: true, repeated: true }],
  options: { ...TIMINGS_OPTION },
  examples: [
    { command: "kvm build", doc: "Build ./vm.toml and its workspace." },
    { command: "kvm build examples/real-mode/vm.toml", doc: "Build one manifest." },
  ],
  async run(invocation) {
    const { buildManifests } = await import("./machine.js");
    return buildManifests(invocation);
  },
});
