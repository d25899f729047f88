/**
 * Tests that need something of the machine: `/dev/kvm`, or a tool of the distribution.
 *
 * A test whose need is not met is skipped, with the reason printed. Under `REQUIRE_KVM=1` (for `/dev/kvm`)
 * and `KVMKIT_TOOLS=required` (for tools) it fails instead, so that CI cannot pass by skipping.
 */
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import test, { type ExecutionContext, type Implementation } from "ava";

import { cannotHideKvm } from "./hidden-kvm.js";

export { type BrowserPage, CHROMIUM, withPage } from "./chromium.js";
export { withoutKvm } from "./hidden-kvm.js";

export type TestBody = (t: ExecutionContext) => void | Promise<void>;

/** Why a need is not met, or `undefined` where it is. */
type Reason = string | undefined;

/** Why `/dev/kvm` cannot be used by this process, or `undefined` if it can. */
export function kvmUnusable(): Reason {
  try {
    closeSync(openSync("/dev/kvm", "r+"));
    return undefined;
  } catch (error) {
    return `/dev/kvm cannot be opened: ${(error as NodeJS.ErrnoException).code}`;
  }
}

/** A test that runs where `/dev/kvm` can be opened. */
export function kvmTest(title: string, body: TestBody): void {
  conditional(title, body, kvmUnusable(), process.env["REQUIRE_KVM"] === "1");
}

/** A test that runs where all of `tools` (program name to Debian package) are on the PATH. */
export function toolTest(title: string, tools: Readonly<Record<string, string>>, body: TestBody): void {
  conditional(title, body, missingTools(tools), process.env["KVMKIT_TOOLS"] === "required");
}

/** A test that needs `/dev/kvm` and tools. */
export function kvmToolTest(title: string, tools: Readonly<Record<string, string>>, body: TestBody): void {
  const noKvm = kvmUnusable();
  const noTools = missingTools(tools);
  const required =
    (noKvm !== undefined && process.env["REQUIRE_KVM"] === "1") ||
    (noTools !== undefined && process.env["KVMKIT_TOOLS"] === "required");
  conditional(title, body, noKvm ?? noTools, required);
}

/** A test that runs commands `withoutKvm`. Root can always; elsewhere it is skipped. */
export function hiddenKvmTest(title: string, body: TestBody): void {
  conditional(title, body, cannotHideKvm(), process.getuid?.() === 0);
}

function missingTools(tools: Readonly<Record<string, string>>): Reason {
  const missing = Object.entries(tools).filter(([program]) => !onPath(program));
  if (missing.length === 0) return undefined;
  const packages = [...new Set(missing.map(([, debianPackage]) => debianPackage))];
  return `${missing.map(([program]) => program).join(", ")} not found; apt-get install ${packages.join(" ")}`;
}

const found = new Map<string, boolean>();

function onPath(program: string): boolean {
  let known = found.get(program);
  if (known === undefined) {
    known = spawnSync("sh", ["-c", 'command -v "$1"', "sh", program]).status === 0;
    found.set(program, known);
  }
  return known;
}

function conditional(title: string, body: TestBody, reason: Reason, required: boolean): void {
  if (reason === undefined) {
    test(title, body as Implementation<[]>);
  } else if (required) {
    test(title, (t) => t.fail(`required here, but ${reason}`));
  } else {
    test.skip(`${title} (skipped: ${reason})`, body as Implementation<[]>);
  }
}
