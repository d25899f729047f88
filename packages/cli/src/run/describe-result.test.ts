import { type RunResult, VmError } from "@kvmkit/hypervisor";
import test from "ava";
import { describeResult } from "./describe-result.js";
import { exitStatus } from "./exit-status.js";

const report = {
  counts: { exits: 1, hypercalls: 1, populates: 0 },
  timings: { layoutMs: 0, createMs: 0, runMs: 0 },
  diagnostics: [],
};
const killed = {
  kind: "killed",
  signal: 11,
  signalName: "SIGSEGV",
  reason: "fault",
  vector: 14,
  errorCode: 4n,
  rip: 0x401002n,
  address: 0x10n,
  registers: {},
  ...report,
} as const satisfies RunResult;

const rows: [string, RunResult, number, string[]][] = [
  ["a status passes unchanged", { kind: "exited", status: 42, ...report }, 42, []],
  ["124 may be the guest's own", { kind: "exited", status: 124, ...report }, 124, []],
  ["a halt is success", { kind: "halted", ...report }, 0, []],
  ["Ctrl-C", { kind: "aborted", reason: undefined, ...report }, 130, []],
  ["a time limit", { kind: "limit", limit: "wall", ...report }, 124, ["the time limit of 10s was reached"]],
  [
    "a limit of unknown size",
    { kind: "limit", limit: "cpu", ...report },
    124,
    ["the processor time limit was reached"],
  ],
  [
    "a read of an unmapped address",
    { ...killed, symbol: { name: "main", offset: 2, image: "program" } },
    139,
    ["the program was killed by SIGSEGV: it read 0x10, which is not mapped, at rip 0x401002 <main+0x2>"],
  ],
  [
    "a write to a read-only page",
    { ...killed, errorCode: 7n },
    139,
    ["the program was killed by SIGSEGV: it wrote to 0x10, which it may not, at rip 0x401002"],
  ],
  [
    "execution of data",
    { ...killed, errorCode: 0x15n },
    139,
    ["the program was killed by SIGSEGV: it executed 0x10, which it may not, at rip 0x401002"],
  ],
  [
    "ud2",
    { ...killed, signal: 4, signalName: "SIGILL", vector: 6, errorCode: undefined, address: undefined },
    132,
    ["the program was killed by SIGILL: #UD, an instruction that does not exist, at rip 0x401002"],
  ],
  [
    "no memory left",
    { ...killed, signal: 9, signalName: "SIGKILL", reason: "out-of-memory" },
    137,
    ["the program was killed: the machine has no memory left"],
  ],
  [
    "a closed pipe is quiet",
    { ...killed, signal: 13, signalName: "SIGPIPE", reason: "signal", vector: undefined },
    141,
    [],
  ],
  [
    "a panic, with registers and a backtrace",
    {
      kind: "panic",
      message: "no stack",
      registers: { rax: 1n, rbx: 0xffff_ffff_8000_0000n },
      backtrace: [
        { address: 0xffff_ffff_8010_0010n, symbol: { name: "boot", offset: 16, image: "kernel" } },
        { address: 5n },
      ],
      ...report,
    },
    125,
    [
      "the kernel panicked: no stack",
      "      rax 0000000000000001    rbx ffffffff80000000",
      "     at 0xffffffff80100010 <boot+0x10>",
      "     at 0x5",
    ],
  ],
];

for (const [title, result, status, lines] of rows) {
  test(`result: ${title}: status ${status}`, (t) => {
    t.is(exitStatus(result), status);
    t.deepEqual(describeResult(result, { wall: "10s" }), lines);
  });
}

test("result: a VM error gives its message and code, and status 125", (t) => {
  const error = new VmError("ERR_VM_TRIPLE_FAULT", { rip: 0x10n });
  const result: RunResult = { kind: "error", error, ...report };
  t.is(exitStatus(result), 125);
  t.deepEqual(describeResult(result, {}), [`${error.message}  ERR_VM_TRIPLE_FAULT`]);
});
