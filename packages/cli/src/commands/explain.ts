import { nearestName } from "../config/nearest-name.js";
import { defineCommand, usage } from "../define-command.js";

export const explain = defineCommand({
  name: "explain",
  summary: "Say what an error code means and what to do about it",
  args: [
    {
      name: "code",
      doc: "An error code, such as ERR_MANIFEST_UNIT. Without one, all are listed.",
      optional: true,
    },
  ],
  options: {},
  examples: [{ command: "kvm explain ERR_MANIFEST_UNIT", doc: "What that error means." }],
  async run({ args, host }) {
    const { allErrors } = await import("../documentation.js");
    const errors = allErrors();
    const code = args[0]?.toUpperCase();
    if (code === undefined) {
      if (host.output.json) host.output.resultJson(errors);
      else host.output.result(errors.map((row) => `${row.code}\n    ${row.message}`).join("\n"));
      return 0;
    }
    const row = errors.find((candidate) => candidate.code === code);
    if (row === undefined) {
      const near = nearestName(
        code,
        errors.map((candidate) => candidate.code),
      );
      throw usage(explain, `there is no error ${code}.${near === undefined ? "" : ` Did you mean ${near}?`}`);
    }
    if (host.output.json) host.output.resultJson(row);
    else host.output.result(`${code}\n\n${row.message}\n\nWhat to do: ${row.remedy}`);
    return 0;
  },
});
