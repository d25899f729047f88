/** Ring 0 going wrong: a panic that says what and where; and what even ring 0 may not do. */
import { DIRECT_MAP_BASE, KERNEL_BASE, KERNEL_DATA_GPA, KERNEL_TEXT_GPA } from "@kvmkit/guest-kernel/abi";
import { guestTest, runGuest } from "./run-guest.js";
import { DEBUG } from "./script.js";

const READ = 0;
const WRITE = 1;
const CALL = 2;
const PUSH = 3;

const TEXT = KERNEL_BASE + KERNEL_TEXT_GPA;
const DATA = KERNEL_BASE + KERNEL_DATA_GPA;

const PANICS = [
  {
    title: "a read of an address that nothing maps",
    kind: READ,
    address: 0xffff_c000_0000_0000n,
    message: "#PF",
  },
  {
    title: "a read of an address that is not canonical",
    kind: READ,
    address: 0x8000_0000_0000_0000n,
    message: "#GP",
  },
  { title: "a read of an unmapped page of user space", kind: READ, address: 0x1234_5000n, message: "#PF" },
  { title: "a write to the kernel's text", kind: WRITE, address: TEXT, message: "#PF" },
  {
    title: "a write to the kernel's text through the direct map",
    kind: WRITE,
    address: DIRECT_MAP_BASE + KERNEL_TEXT_GPA,
    message: "#PF",
  },
  { title: "a jump to the kernel's data", kind: CALL, address: DATA, message: "#PF" },
  {
    title: "a jump to the kernel's text through the direct map",
    kind: CALL,
    address: DIRECT_MAP_BASE + KERNEL_TEXT_GPA,
    message: "#PF",
  },
  {
    title: "a push to a stack that is not there",
    kind: PUSH,
    address: 0xffff_c000_0000_0000n,
    message: "#DF",
  },
] as const;

for (const { title, kind, address, message } of PANICS) {
  guestTest(`${title}, in ring 0, is a panic with ${message} and the symbol`, async (t, machine) => {
    const { result } = await runGuest(machine, (p) => p.call(DEBUG.access, kind, address).exit(1));
    t.is(result.kind, "panic");
    if (result.kind !== "panic") return;
    t.true(result.message.startsWith(message), result.message);
    const [innermost, ...callers] = result.backtrace;
    if (kind === CALL) {
      t.is(innermost?.address, address);
      t.like(callers[0], { symbol: { name: "sys_debug_access", image: "kernel" } });
    } else t.like(innermost, { symbol: { name: "sys_debug_access", image: "kernel" } });
    t.is(result.registers.rdi, BigInt(kind));
  });
}

guestTest(
  "a broken invariant is a panic with its message and the function that found it",
  async (t, machine) => {
    const { result } = await runGuest(machine, (p) => p.call(DEBUG.panic).exit(1));
    t.like(result, { kind: "panic", message: "asked for by debug_panic" });
    if (result.kind === "panic") t.like(result.backtrace[0], { symbol: { name: "sys_debug_panic" } });
  },
);
