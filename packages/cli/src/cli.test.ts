import test from "ava";
import { runCli } from "./cli.js";

interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One command line in this process, with streams that remember. */
async function cli(argv: string[], env: Record<string, string> = {}, isTTY = false): Promise<Said> {
  const said = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => ({
    isTTY,
    write(data: string | Uint8Array) {
      said[name] += data.toString();
    },
  });
  const status = await runCli(argv, { stdout: stream("stdout"), stderr: stream("stderr"), env, cwd: "/" });
  return { status, ...said };
}

for (const argv of [[], ["--help"], ["-h"], ["help"]]) {
  test(`kvm ${argv.join(" ")} prints the overview on stdout`, async (t) => {
    const { status, stdout, stderr } = await cli(argv);
    t.deepEqual([status, stderr], [0, ""]);
    t.regex(stdout, /^kvm: run a Linux program/);
  });
}

for (const name of ["build", "run", "exec", "asm", "new", "doctor", "schema", "explain"]) {
  test(`kvm ${name} --help, kvm ${name} -h and kvm help ${name} are the same, whatever else is given`, async (t) => {
    const help = await cli([name, "--help"]);
    t.is(help.status, 0);
    t.regex(help.stdout, new RegExp(`^Usage: kvm ${name} `, "m"));
    t.deepEqual(await cli([name, "--bogus", "-h"]), help);
    t.deepEqual(await cli(["help", name]), help);
  });

  test(`kvm ${name} --version prints the version`, async (t) => {
    t.deepEqual(await cli([name, "--version"]), await cli(["-V"]));
  });
}

test("--help behind -- is the program's own", async (t) => {
  const { status, stderr } = await cli(["exec", "./none", "--", "--help"]);
  t.is(status, 127);
  t.regex(stderr, /\.\/none: no such file {2}ERR_PROGRAM_NOT_FOUND/);
});

test("an unknown command names the nearest, and how a program is named", async (t) => {
  t.deepEqual(await cli(["rnu"]), {
    status: 125,
    stdout: "",
    stderr:
      "kvm: there is no command rnu. Did you mean run? A program is named by a path: ./rnu  ERR_CLI_USAGE\n     See `kvm --help`.\n",
  });
});

test("errors are JSON under --json", async (t) => {
  const { status, stderr } = await cli(["run", "--json", "--accel", "hvm"]);
  t.is(status, 125);
  const { error } = JSON.parse(stderr);
  t.like(error, { name: "CliError", code: "ERR_CLI_USAGE" });
  t.regex(error.message, /^--accel hvm: not one of/);
});

test("a stack trace is printed under --debug only", async (t) => {
  t.notRegex((await cli(["exec", "./none"])).stderr, /\n {4}at /);
  t.regex((await cli(["exec", "./none", "--debug"])).stderr, /\n {4}at /);
});

test("colour is for terminals, and NO_COLOR is obeyed", async (t) => {
  const sgr = "\u001b[";
  t.false((await cli(["bogus"])).stderr.includes(sgr));
  t.true((await cli(["bogus"], {}, true)).stderr.includes(sgr));
  t.false((await cli(["bogus"], { NO_COLOR: "1" }, true)).stderr.includes(sgr));
});

test("kvm explain says what a code means, in any case, and names the nearest", async (t) => {
  const { stdout } = await cli(["explain", "err_manifest_unit"]);
  t.regex(stdout, /^ERR_MANIFEST_UNIT\n\n.*\n\nWhat to do: /);
  t.regex((await cli(["explain", "ERR_ELF_CLAS"])).stderr, /Did you mean ERR_ELF_CLASS\?/);
  t.like(JSON.parse((await cli(["explain", "ERR_VM_MOUNT", "--json"])).stdout), { code: "ERR_VM_MOUNT" });
});

test("kvm schema prints the JSON Schema that the package publishes", async (t) => {
  const schema = JSON.parse((await cli(["schema"])).stdout);
  t.is(schema.$schema, "https://json-schema.org/draft/2020-12/schema");
  t.deepEqual(schema.properties.vm.properties.accel.enum, ["auto", "kvm", "soft"]);
  t.deepEqual(schema.properties.program.required, ["path"]);
  t.false(schema.additionalProperties);
});
