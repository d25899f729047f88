/** The plugin `process`: how a program ends. */
import { definePlugin } from "../plugin.js";
import { syscallArguments } from "./syscall-arguments.js";

export const process = definePlugin({
  name: "process",
  version: "1.0.0",
  abi: 1,
  source: { module: import.meta.url, export: "process" },
  doc: "How a program ends.",
  hypercalls: {
    exit: {
      syscall: "exit",
      args: syscallArguments("exit"),
      doc: "_exit(2)",
      handle({ vm }, { status }) {
        vm.exit(status);
      },
    },
    exit_group: {
      syscall: "exit_group",
      args: syscallArguments("exit_group"),
      doc: "exit_group(2)",
      handle({ vm }, { status }) {
        vm.exit(status);
      },
    },
  },
});
