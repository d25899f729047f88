import { defineCommand } from "../define-command.js";

export const doctor = defineCommand({
  name: "doctor",
  summary: "Say what this machine can do, and what to do about what is missing",
  about: ["The exit status is 0 where a guest can run, and 125 where none can."],
  args: [],
  options: {},
  examples: [
    { command: "kvm doctor", doc: "Check this machine." },
    { command: "kvm doctor --json", doc: "The same for a program." },
  ],
  async run(invocation) {
    const { examineHost } = await import("./machine.js");
    return examineHost(invocation);
  },
});
