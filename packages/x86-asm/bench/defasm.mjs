/** What @defasm/core does with a program: its bytes, the rate of assembling it, and the time of a one-line edit. */
import { readFileSync } from "node:fs";
import { AssemblyState } from "@defasm/core";
import { median, rate, times } from "./measure.mjs";

const [what, ...paths] = process.argv.slice(2);
const sources = paths.map((path) => readFileSync(path, "utf8"));

function assembled(source) {
  const state = new AssemblyState();
  state.compile(source);
  return state;
}

const answers = {
  bytes: () =>
    sources.map((source) => {
      const state = assembled(source);
      return state.errors.length > 0 ? null : Buffer.from(state.sections[0].head.dump()).toString("hex");
    }),
  rate: () =>
    rate(sources[0].split("\n").filter((line) => /^\w+ /.test(line)).length, 2, () => assembled(sources[0])),
  edit: () => {
    const state = assembled(sources[0]);
    const line = Math.floor(sources[0].split("\n").length / 2) + 3;
    const lines = ["mov rax, 5", "add rcx, qword ptr [rsp+8]"];
    return median(times(10, (i) => state.compile(lines[i % 2], { range: state.line(line) })));
  },
};
console.log(JSON.stringify(answers[what]()));
