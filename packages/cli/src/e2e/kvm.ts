/** Starts the bundled `kvm` as a user does, and builds the test programs it runs. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { kvmTest, kvmToolTest, toolTest } from "@kvmkit-internal/test-support";
import test, { type ExecutionContext } from "ava";
import { assembleSource } from "../build/assemble-source.js";
import { linkProgram } from "../build/link-object.js";

const packageDir = fileURLToPath(new URL("../../../", import.meta.url));
export const KVM = join(packageDir, "bin/kvm.js");

export interface Ran {
  /** Exit status; null where a signal ended the process. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
}

/** A folder of this test file's own, removed at its end. */
export function scratchFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), "kvmkit-e2e-"));
  chmodSync(dir, 0o755); // for the tests that run as another user
  test.after.always(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const programs = scratchFolder();
mkdirSync(join(programs, "cache"));

/** Starts `kvm` with its streams as pipes. */
export function startKvm(args: readonly string[], options: RunOptions = {}): ChildProcess {
  return spawn(process.execPath, [KVM, ...args], {
    cwd: options.cwd ?? programs,
    env: {
      ...process.env,
      XDG_CACHE_HOME: join(programs, "cache"),
      NODE_OPTIONS: "",
      ...options.env,
    },
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
}

/** Runs `kvm` to its end. stdin is `input`, or empty. */
export async function kvm(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = startKvm(args, options);
  child.stdin!.on("error", () => {}); // a guest may end without reading
  child.stdin!.end(options.input ?? "");
  return finished(child);
}

/** `kvm` with one accelerator. The first argument is a command that has machines. */
export interface KvmOnMachine {
  readonly accel: "kvm" | "soft";
  startKvm(args: readonly string[], options?: RunOptions): ChildProcess;
  kvm(args: readonly string[], options?: RunOptions): Promise<Ran>;
}

function onMachine(accel: KvmOnMachine["accel"]): KvmOnMachine {
  const insert = ([command, ...more]: readonly string[]) => [command!, "--accel", accel, ...more];
  return {
    accel,
    startKvm: (args, options) => startKvm(insert(args), options),
    kvm: (args, options) => kvm(insert(args), options),
  };
}

type MachineTestBody = (t: ExecutionContext, machine: KvmOnMachine) => void | Promise<void>;

/** A test that runs a guest, once per accelerator. */
export function machineTest(title: string, body: MachineTestBody): void {
  kvmTest(`${title}, on kvm`, (t) => body(t, onMachine("kvm")));
  test(`${title}, on soft`, (t) => body(t, onMachine("soft")));
}

/** The same for a test that needs tools. */
export function machineToolTest(
  title: string,
  tools: Readonly<Record<string, string>>,
  body: MachineTestBody,
): void {
  kvmToolTest(`${title}, on kvm`, tools, (t) => body(t, onMachine("kvm")));
  toolTest(`${title}, on soft`, tools, (t) => body(t, onMachine("soft")));
}

/** Collects what a started process prints until it ends. */
export async function finished(child: ChildProcess): Promise<Ran> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout!.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr!.on("data", (chunk: Buffer) => err.push(chunk));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}

/** The ELF of testdata/programs/NAME.s. */
export function program(name: string): string {
  const path = join(programs, name);
  const source = join(packageDir, "testdata/programs", `${name}.s`);
  const { assembly } = assembleSource(source, readFileSync(source), { userDir: packageDir, bits: 64 });
  writeFileSync(path, linkProgram(assembly.object, source), { mode: 0o755 });
  return path;
}

/** A trace of our own code: what nobody at a terminal should meet. */
export const STACK_TRACE = /^\s+at .*[(/].*:\d+:\d+\)?$/m;
