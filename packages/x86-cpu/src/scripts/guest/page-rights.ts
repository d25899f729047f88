/** What one access of a page does, by its flags: for both engines, and in ring 3 for /dev/kvm. */
import { CR0, CR4, EFER, RFLAGS } from "../../architecture.js";
import { type Guest, NX, Page, USED } from "./guest.js";

const { W, U } = Page;
export const READ = "mov eax, [0x20008]";
export const WRITE = "mov dword ptr [0x20008], 1";
const FETCH = "mov eax, 0x20000\ncall rax";

type Change = (guest: Guest) => void;
const nothing: Change = () => {};
const wp =
  (on: boolean): Change =>
  ({ sregs }) => {
    sregs.cr0 = on ? sregs.cr0 | BigInt(CR0.WP) : sregs.cr0 & ~BigInt(CR0.WP);
  };
const cr4 =
  (bits: number): Change =>
  ({ sregs }) => {
    sregs.cr4 |= BigInt(bits);
  };
const smap: Change = cr4(CR4.SMAP);
const smapWithAc: Change = (guest) => {
  smap(guest);
  guest.regs.rflags |= BigInt(RFLAGS.AC);
};
const withoutNxe: Change = ({ sregs }) => {
  sregs.efer &= ~BigInt(EFER.NXE);
};
const smepWithoutNxe: Change = (guest) => {
  cr4(CR4.SMEP)(guest);
  withoutNxe(guest);
};

/** SDM Vol. 3A, "Access Rights", "Page-Fault Exceptions". */
export const RIGHTS: readonly (readonly [
  title: string,
  level: 0 | 3,
  code: string,
  flags: number,
  high: bigint,
  change: Change,
  what: string,
])[] = [
  ["a user read of a user page", 3, READ, USED | U, 0n, nothing, "done"],
  ["a user read of a supervisor page", 3, READ, USED | W, 0n, nothing, "#PF(0x5) 0x20008"],
  ["a user read of an absent page", 3, READ, W | U, 0n, nothing, "#PF(0x4) 0x20008"],
  ["a user write of a read-only page", 3, WRITE, USED | U, 0n, nothing, "#PF(0x7) 0x20008"],
  ["a user write of an absent page", 3, WRITE, W | U, 0n, nothing, "#PF(0x6) 0x20008"],
  ["a user write of a supervisor page", 3, WRITE, USED | W, 0n, nothing, "#PF(0x7) 0x20008"],
  ["a user write of a read-only page, WP clear", 3, WRITE, USED | U, 0n, wp(false), "#PF(0x7) 0x20008"],
  ["a user fetch of an NX page", 3, FETCH, USED | U, NX, nothing, "#PF(0x15) 0x20000"],
  ["a user fetch of a supervisor page", 3, FETCH, USED, 0n, nothing, "#PF(0x15) 0x20000"],
  ["a user fetch of an absent page", 3, FETCH, U, 0n, nothing, "#PF(0x14) 0x20000"],
  ["a user fetch of a user page", 3, FETCH, USED | U, 0n, nothing, "done"],
  ["a user read of an NX page", 3, READ, USED | U, NX, nothing, "done"],
  ["a user access under SMAP", 3, WRITE, USED | U | W, 0n, smap, "done"],
  ["a user fetch under SMEP", 3, FETCH, USED | U, 0n, cr4(CR4.SMEP), "done"],
  ["a supervisor read of an absent page", 0, READ, 0, 0n, nothing, "#PF(0x0) 0x20008"],
  ["a supervisor write of an absent page", 0, WRITE, 0, 0n, nothing, "#PF(0x2) 0x20008"],
  ["a supervisor write of a read-only page", 0, WRITE, USED, 0n, nothing, "#PF(0x3) 0x20008"],
  ["a supervisor write of a read-only page, WP clear", 0, WRITE, USED, 0n, wp(false), "done"],
  ["a supervisor write of a read-only user page", 0, WRITE, USED | U, 0n, nothing, "#PF(0x3) 0x20008"],
  ["a supervisor write of a read-only user page, WP clear", 0, WRITE, USED | U, 0n, wp(false), "done"],
  ["a supervisor read of a user page", 0, READ, USED | U, 0n, nothing, "done"],
  ["a supervisor read of a user page under SMAP", 0, READ, USED | U, 0n, smap, "#PF(0x1) 0x20008"],
  ["a supervisor write of a user page under SMAP", 0, WRITE, USED | U | W, 0n, smap, "#PF(0x3) 0x20008"],
  ["a supervisor read of a user page under SMAP with AC", 0, READ, USED | U, 0n, smapWithAc, "done"],
  ["a supervisor write of a user page under SMAP with AC", 0, WRITE, USED | U | W, 0n, smapWithAc, "done"],
  ["STAC and CLAC around a user page", 0, `stac\n${READ}\nclac`, USED | U, 0n, smap, "done"],
  ["CLAC before a user page", 0, `clac\n${READ}`, USED | U, 0n, smapWithAc, "#PF(0x1) 0x20008"],
  ["a supervisor fetch of a user page", 0, FETCH, USED | U, 0n, nothing, "done"],
  [
    "a supervisor fetch of a user page under SMEP",
    0,
    FETCH,
    USED | U,
    0n,
    cr4(CR4.SMEP),
    "#PF(0x11) 0x20000",
  ],
  ["a supervisor fetch of a user page under SMAP", 0, FETCH, USED | U, 0n, smap, "done"],
  ["a supervisor fetch of an NX page", 0, FETCH, USED, NX, nothing, "#PF(0x11) 0x20000"],
  ["a supervisor fetch of an absent page", 0, FETCH, 0, 0n, nothing, "#PF(0x10) 0x20000"],
  ["a fetch of an absent page, no NXE, no SMEP", 0, FETCH, 0, 0n, withoutNxe, "#PF(0x0) 0x20000"],
  ["a fetch of an absent page, SMEP without NXE", 0, FETCH, 0, 0n, smepWithoutNxe, "#PF(0x10) 0x20000"],
  ["NX with EFER.NXE clear is reserved", 0, READ, USED, NX, withoutNxe, "#PF(0x9) 0x20008"],
  ["address bit 51 is reserved", 0, READ, USED, 1n << 51n, nothing, "#PF(0x9) 0x20008"],
  ["address bit 51 is reserved, user write", 3, WRITE, USED | U | W, 1n << 51n, nothing, "#PF(0xf) 0x20008"],
  ["bits 62:52 of an entry are ignored", 0, READ, USED, 0x7ffn << 52n, nothing, "done"],
];
