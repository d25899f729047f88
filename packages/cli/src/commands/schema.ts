import { defineCommand } from "../define-command.js";

export const schema = defineCommand({
  name: "schema",
  summary: "Print the JSON Schema of vm.toml, for editors",
  about: [
    "An editor that knows taplo reads it from a manifest's first line: #:schema followed by the path or URL of the schema.",
  ],
  args: [],
  options: {},
  examples: [{ command: "kvm schema > vm.schema.json", doc: "Write the schema to a file." }],
  async run({ host }) {
    const { manifestJsonSchema } = await import("../documentation.js");
    host.output.result(JSON.stringify(manifestJsonSchema(), undefined, 2));
    return 0;
  },
});
