import { type Command, defineCommand } from "../define-command.js";

export const newProject: Command = defineCommand({
  name: "new",
  summary: "Make a package to start from: a plugin, or a machine for a program",
  about: [
    "The package builds, tests and runs at once, with one example program in C and one in assembly. It goes into a new folder of its name; what is there already is never written over.",
  ],
  args: [
    {
      name: "kind",
      doc: "plugin: host functions of your own in TypeScript. vm: a program and its manifest.",
    },
    { name: "name", doc: "The package's name: small letters, digits and -, such as key-store." },
  ],
  options: {},
  examples: [
    { command: "kvm new plugin greeter", doc: "A plugin in ./greeter, and programs that call it." },
    { command: "kvm new vm sandbox", doc: "A program and its manifest in ./sandbox." },
  ],
  async run(invocation) {
    const { makeProject } = await import("../new/scaffold.js");
    return makeProject(invocation, newProject);
  },
});
