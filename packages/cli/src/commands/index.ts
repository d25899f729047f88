/** All commands, in the order of the help. Each imports what it runs only when it runs. */
import type { Command } from "../define-command.js";
import { explain } from "./explain.js";
import { schema } from "./schema.js";

export const commands: readonly Command[] = [schema, explain];
