/** The assemblers to compare with: tools of the distribution, and packages that are fetched into a temporary folder. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Versions that the figures in the README were taken with. */
const PACKAGES = { "@defasm/core": "2.4.5", "iced-x86": "1.21.0" };
const here = dirname(fileURLToPath(import.meta.url));

export function hasTool(name) {
  return spawnSync("sh", ["-c", `command -v ${name}`]).status === 0;
}

/** The packages that could be installed in `folder`: a function that runs a script beside them, by package. */
export function installPackages(folder) {
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  const found = new Map();
  for (const [name, version] of Object.entries(PACKAGES)) {
    const install = ["install", "--no-audit", "--no-fund", "--silent", `${name}@${version}`];
    const { status } = spawnSync("npm", install, { cwd: folder, encoding: "utf8", timeout: 120_000 });
    if (status === 0) found.set(name, (script, ...args) => runBeside(folder, script, args));
  }
  return found;
}

/** Runs a script of this folder where it finds the packages; what it prints as JSON, `undefined` if it fails. */
function runBeside(folder, script, args) {
  const copy = join(folder, script);
  for (const name of [script, "measure.mjs"])
    writeFileSync(join(folder, name), readFileSync(join(here, name)));
  const { status, stdout } = spawnSync("node", [copy, ...args], { encoding: "utf8", maxBuffer: 2 ** 28 });
  return status === 0 ? JSON.parse(stdout) : undefined;
}

/** The bytes of a program as a tool assembles it, at address 0; `undefined` where it refuses. */
export function flatWith(tool, source, folder) {
  const path = (name) => join(folder, name);
  rmSync(path("flat.bin"), { force: true });
  writeFileSync(path("flat.s"), source);
  const link = `ld -Ttext=0 -e 0 --oformat=binary -o ${path("flat.bin")} ${path("flat.o")}`;
  const commands = {
    as: `as -o ${path("flat.o")} ${path("flat.s")} && ${link}`,
    "llvm-mc": `llvm-mc -filetype=obj -o ${path("flat.o")} ${path("flat.s")} && ${link}`,
    nasm: `nasm -f bin -o ${path("flat.bin")} ${path("flat.s")}`,
  };
  const { status } = spawnSync("sh", ["-c", commands[tool]]);
  return status === 0 && statSync(path("flat.bin"), { throwIfNoEntry: false })
    ? readFileSync(path("flat.bin"))
    : undefined;
}
