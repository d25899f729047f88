/** The page's own code: what its buttons do. */
import type { RunResult } from "@kvmkit/hypervisor";
import osRelease from "../../os-release/os-release.s";
import { boot } from "./boot.js";

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;

const file = element<HTMLTextAreaElement>("file");
const source = element<HTMLTextAreaElement>("source");
const bootButton = element<HTMLButtonElement>("boot");
const stopButton = element<HTMLButtonElement>("stop");
const output = element("output");
const status = element("status");

let running = new AbortController();

async function run(): Promise<void> {
  running = new AbortController();
  bootButton.disabled = true;
  stopButton.disabled = false;
  output.textContent = "";
  status.textContent = "running";
  status.textContent = await ending();
  bootButton.disabled = false;
  stopButton.disabled = true;
  dispatchEvent(new Event("ended"));
}

async function ending(): Promise<string> {
  try {
    const result = await boot({
      source: source.value,
      args: ["os-release", "/etc/os-release"],
      files: { "/etc/os-release": file.value },
      signal: running.signal,
      onOutput: (text) => output.append(text),
    });
    return describe(result);
  } catch (error) {
    return (error as Error).message;
  }
}

function describe(result: RunResult): string {
  if (result.kind === "exited") return `exited with status ${result.status}`;
  if (result.kind === "killed") return `killed by ${result.signalName}`;
  if (result.kind === "error") return result.error.message;
  return result.kind;
}

source.value = osRelease;
bootButton.addEventListener("click", () => void run());
stopButton.addEventListener("click", () => running.abort());
