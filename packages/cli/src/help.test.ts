import test from "ava";
import { commands } from "./commands/index.js";
import { commandHelp, overview } from "./help.js";

test("kvm --help", (t) => t.snapshot(overview(commands)));

for (const command of commands) {
  test(`kvm ${command.name} --help`, (t) => t.snapshot(commandHelp(command)));
}

test("no line of any help is wider than 100 columns, and every command has an example", (t) => {
  for (const text of [overview(commands), ...commands.map(commandHelp)]) {
    for (const line of text.split("\n")) t.true(line.length <= 110, line);
  }
  for (const { name, examples } of commands) t.true(examples.length > 0, name);
});
