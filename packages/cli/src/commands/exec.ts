import { guestPath } from "../config/value-types.js";
import { type COMMON_OPTIONS, defineCommand, type Invocation, type OptionRows } from "../define-command.js";
import {
  ACCEL_OPTION,
  environmentOption,
  MEMORY_OPTION,
  mountOption,
  TIMEOUT_OPTION,
  TIMINGS_OPTION,
} from "./machine-options.js";

const options = {
  ...ACCEL_OPTION,
  memory: { ...MEMORY_OPTION.memory, default: "64MiB" },
  ...TIMEOUT_OPTION,
  mount: {
    doc: "Show a file or folder of the host to the program, read-only unless it says rw.",
    value: { name: "HOST:GUEST[:ro|rw]", type: mountOption() },
    repeated: true,
  },
  cwd: {
    doc: "The folder of the guest that the program starts in.",
    value: { name: "DIR", type: guestPath() },
    default: "/",
  },
  env: {
    doc: "Set a variable of the program's environment.",
    value: { name: "NAME=VALUE", type: environmentOption() },
    repeated: true,
  },
  ...TIMINGS_OPTION,
} as const satisfies OptionRows;

export type ExecInvocation = Invocation<typeof options & typeof COMMON_OPTIONS>;

export const exec = defineCommand({
  name: "exec",
  summary: "Run one ELF program in a machine of its own, without a manifest",
  about: [
    "The program gets the standard streams, and nothing else: an empty root with a writable, bounded /tmp, no environment, and only the files that --mount gives. `kvm ./program` is the same as `kvm exec ./program`.",
  ],
  args: [
    { name: "program", doc: "A static x86-64 ELF executable." },
    {
      name: "args",
      doc: "Arguments of the program that do not start with a dash.",
      optional: true,
      repeated: true,
    },
  ],
  rest: "Arguments of the program, taken as they are.",
  options,
  examples: [
    { command: "kvm exec ./hello -- --verbose", doc: "Run a program with an argument." },
    {
      command: "kvm exec --timeout 10s --mount .:/work --cwd /work ./build",
      doc: "With files and a time limit.",
    },
  ],
  async run(invocation) {
    const { execProgram } = await import("./machine.js");
    return execProgram(invocation);
  },
});
