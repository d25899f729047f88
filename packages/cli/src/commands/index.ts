/** All commands, in the order of the help. Each imports what it runs only when it runs. */
import type { Command } from "../define-command.js";
import { asm } from "./asm.js";
import { build } from "./build.js";
import { doctor } from "./doctor.js";
import { exec } from "./exec.js";
import { explain } from "./explain.js";
import { newProject } from "./new.js";
import { run } from "./run.js";
import { schema } from "./schema.js";

export const commands: readonly Command[] = [build, run, exec, asm, newProject, doctor, schema, explain];
