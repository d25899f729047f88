/** Writes down every call of the program that reaches the host, and what it was answered. */
import { appendFileSync } from "node:fs";
import { definePlugin, Errno } from "@kvmkit/hypervisor";

export default definePlugin({
  name: "audit-log",
  version: "1.0.0",
  abi: 1,
  options: (given) => given as { readonly file: string },
  middleware: [
    {
      on: "*",
      handle({ options }, call, next) {
        const answered = <T>(answer: T): T => {
          appendFileSync(options.file, `${call.plugin}.${call.name} = ${answer}\n`);
          return answer;
        };
        try {
          const result = next();
          return result instanceof Promise ? result.then(answered) : answered(result);
        } catch (error) {
          if (error instanceof Errno) answered(error.errno);
          throw error;
        }
      },
    },
  ],
});
