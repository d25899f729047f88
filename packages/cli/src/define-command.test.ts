import test from "ava";
import { size } from "./config/value-types.js";
import { defineCommand, parseInvocation } from "./define-command.js";
import { CliError } from "./errors.js";

const memory = size();
const command = defineCommand({
  name: "try",
  summary: "A command of the tests",
  args: [
    { name: "program", doc: "what to run" },
    { name: "more", doc: "and more", optional: true, repeated: true },
  ],
  rest: "arguments of the program",
  options: {
    memory: { doc: "memory", value: { name: "SIZE", type: memory } },
    mount: { doc: "a mount", value: { name: "PATH", type: memory }, repeated: true },
    timings: { doc: "print the phases", short: "t" },
  },
  examples: [],
  run: async () => 0,
});

const parse = (...argv: string[]) => parseInvocation(command, argv, "/");
const message = (...argv: string[]) => {
  try {
    return parse(...argv);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return `${error.code} ${error.message}`;
  }
};

test("options are read by their types, wherever they stand before --", (t) => {
  const { options, args, rest } = parse(
    "--memory",
    "1MiB",
    "prog",
    "--mount=1KiB",
    "-t",
    "--mount",
    "2KiB",
    "x",
  );
  t.is(options["memory"], 2 ** 20);
  t.deepEqual(options["mount"], [1024, 2048]);
  t.is(options["timings"], true);
  t.is(options["json"], false);
  t.deepEqual([args, rest], [["prog", "x"], []]);
});

test("what stands behind -- is not read", (t) => {
  const { options, args, rest } = parse("prog", "--", "--memory", "-t", "--", "x");
  t.is(options["memory"], undefined);
  t.deepEqual([args, rest], [["prog"], ["--memory", "-t", "--", "x"]]);
});

const refused: [string[], string][] = [
  [
    ["--memory", "64MB", "p"],
    '--memory 64MB: unit MB is not known. Write "64MiB" (67,108,864 bytes), or "64000000B" (64,000,000 bytes)',
  ],
  [["p", "--memory"], '--memory needs a value: a size such as "64MiB"'],
  [["p", "--timings=1"], "--timings takes no value"],
  [
    ["p", "--memroy", "1MiB"],
    'unknown option --memroy. Did you mean --memory? What is meant for the program stands behind "--".',
  ],
  [["p", "-x"], 'unknown option -x. What is meant for the program stands behind "--".'],
  [["p", "--__proto__"], 'unknown option --__proto__. What is meant for the program stands behind "--".'],
  [["--timings"], "<program> is missing: what to run"],
];

for (const [argv, expected] of refused) {
  test(`refused: ${argv.join(" ")}`, (t) => t.is(message(...argv), `ERR_CLI_USAGE ${expected}`));
}

test("a command without room for them refuses further arguments and --", (t) => {
  const { rest: _rest, ...none } = { ...command, args: [] };
  t.throws(() => parseInvocation(none, ["x"], "/"), { message: 'there is no place for "x"' });
  t.throws(() => parseInvocation(none, ["--", "x"], "/"), { message: 'nothing may follow "--"' });
});
