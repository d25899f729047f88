/** The program `kvm`. */
import { runCli } from "./cli.js";

// `kvm schema | head`: the reader has what it wanted.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 125));
process.stderr.on("error", () => {});

const { stdout, stderr, env } = process;
const status = await runCli(process.argv.slice(2), { stdout, stderr, env, cwd: process.cwd() });
process.exit(status);
