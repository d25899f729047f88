/** Code that changes itself, and accesses that cross pages: in ring 3, for both engines and for /dev/kvm. */
import { At, type Guest, NX, type Outcome, Page, USED } from "./guest.js";

const { W, U } = Page;
const ALL = USED | W | U;
const [first, second] = [At.free, At.free + 0x1000] as const;

export interface AwkwardCase {
  readonly title: string;
  readonly code: string;
  readonly change?: (guest: Guest) => void;
  readonly what: string;
  /** Registers behind it. */
  readonly regs?: Readonly<Record<string, bigint>>;
  /** 8 bytes of memory behind it. */
  readonly memory?: Readonly<Record<number, bigint>>;
  /** Label of the instruction that the frame names. */
  readonly at?: string;
}

/** `mov eax, 1; ret` at the end of a page, which `split` bytes of it lie in front of. */
const acrossPages =
  (split: number, ...flags: readonly [flags: number, high?: bigint]) =>
  (guest: Guest): void => {
    guest.box.ram.set([0xb8, 1, 0, 0, 0, 0xc3], second - split);
    guest.page(second, flags[0], second, flags[1]);
  };
const callAcross = (split: number) => `mov eax, ${second - split}\nat: call rax`;
const fill = (guest: Guest): void => {
  guest.box.ram.fill(0x11, first, first + 0x1000);
  guest.box.ram.fill(0x22, second, second + 0x1000);
};
/** The second page is read-only, absent, or the kernel's. */
const secondIs =
  (flags: number) =>
  (guest: Guest): void => {
    fill(guest);
    guest.page(second, flags);
  };
const ELEVENS = 0x1111111111111111n;
const TWOS = 0x2222222222222222n;
const untouched = { [second - 8]: ELEVENS, [second]: TWOS };

export const AWKWARD: readonly AwkwardCase[] = [
  // --- self-modifying code ---
  {
    title: "the next instruction is changed before it is executed",
    code: "mov byte ptr [rip + at + 1], 7\nat: mov al, 1",
    what: "done",
    regs: { rax: 7n },
  },
  {
    title: "a loop changes its own body",
    code: "mov ecx, 5\nxor eax, eax\nagain: add eax, 1\ninc byte ptr [rip + again + 2]\ndec ecx\njnz again",
    what: "done",
    regs: { rax: 15n },
  },
  {
    title: "a changed branch goes elsewhere",
    code: "mov ecx, 2\nagain: jmp one\none: inc eax\nmov byte ptr [rip + again + 1], 15\ndec ecx\njnz again\njmp end\ntwo: add eax, 16\nend:",
    what: "done",
    regs: { rax: 17n },
  },
  {
    title: "an instruction becomes a longer one",
    code: "call routine\nmov dword ptr [rip + routine], 0x0001b866\nmov dword ptr [rip + routine + 4], 0x000000c3\nmov ebx, eax\ncall routine\njmp end\nroutine: mov al, 9\nret\n.fill 16, 1, 0x90\nend:",
    what: "done",
    regs: { rax: 1n, rbx: 9n },
  },
  {
    title: "REP MOVS writes code, and it is executed",
    code: `mov esi, offset source\nmov edi, ${first}\nmov ecx, 6\nrep movsb\nmov edx, ${first}\ncall rdx\nmov byte ptr [${first} + 1], 3\nmov ebx, eax\ncall rdx\njmp end\nsource: .byte 0xb8, 2, 0, 0, 0, 0xc3\nend:`,
    what: "done",
    regs: { rbx: 2n, rax: 3n },
  },
  {
    title: "REP STOS over code that follows it",
    code: "mov edi, offset target\nmov al, 0x90\nmov ecx, 2\nrep stosb\ntarget: ud2\nmov ebx, 5",
    what: "done",
    regs: { rbx: 5n },
  },
  {
    title: "a SSE store changes code",
    code: "movups xmm0, [rip + source]\nmovups [rip + target], xmm0\njmp target\nsource: .byte 0xbb, 9, 0, 0, 0\n.fill 11, 1, 0x90\ntarget: .fill 16, 1, 0xcc",
    what: "done",
    regs: { rbx: 9n },
  },
  {
    title: "code is changed through another address of its page",
    code: `mov byte ptr [${first} + offset at - ${At.code} + 1], 7\nmfence\njmp at\nat: mov al, 1`,
    change: (guest) => guest.page(first, ALL, At.code),
    what: "done",
    regs: { rax: 7n },
  },
  {
    title: "a store that crosses into a code page changes its first instruction",
    code: `mov ecx, ${second}\ncall rcx\nmov ebx, eax\nmov dword ptr [${second - 2}], 0x05b09090\ncall rcx`,
    change: ({ box }) => void box.ram.set([0xb0, 4, 0xc3], second),
    what: "done",
    regs: { rbx: 4n, rax: 5n },
  },
  {
    title: "the second half of an instruction across pages is changed",
    code: `${callAcross(3)}\nmov ebx, eax\nmov byte ptr [${second}], 0x77\nmov eax, ${second - 3}\ncall rax`,
    change: acrossPages(3, ALL),
    what: "done",
    regs: { rbx: 1n, rax: 0x770001n },
  },

  // --- code across pages of different permissions ---
  ...[1, 2, 3, 4].map((split) => ({
    title: `an instruction with ${split} bytes in front of a page end`,
    code: callAcross(split),
    change: acrossPages(split, ALL),
    what: "done",
    regs: { rax: 1n },
  })),
  {
    title: "an instruction that goes on in an absent page",
    code: callAcross(2),
    change: acrossPages(2, 0),
    what: `#PF(0x14) 0x${second.toString(16)}`,
  },
  {
    title: "an instruction that goes on in an NX page",
    code: callAcross(4),
    change: acrossPages(4, ALL, NX),
    what: `#PF(0x15) 0x${second.toString(16)}`,
  },
  {
    title: "an instruction that goes on in a supervisor page",
    code: callAcross(1),
    change: acrossPages(1, USED),
    what: `#PF(0x15) 0x${second.toString(16)}`,
  },
  {
    title: "an instruction that ends at a page end, with an absent page behind",
    code: `mov eax, ${second - 6}\ncall rax`,
    change: acrossPages(6, 0),
    what: "done",
    regs: { rax: 1n },
  },
  {
    title: "execution runs into an absent page",
    code: `mov eax, ${second - 5}\ncall rax`,
    change: acrossPages(5, 0),
    what: `#PF(0x14) 0x${second.toString(16)}`,
    regs: { rax: 1n },
  },

  // --- data across pages ---
  {
    title: "unaligned data within a page and across two",
    code: `mov rax, 0x1122334455667788\nmov [${second - 3}], rax\nmov rbx, [${second - 3}]\nmov ecx, [${second - 1}]\nmov dx, [${second - 1}]\nmovzx edx, dx`,
    change: fill,
    what: "done",
    regs: { rbx: 0x1122334455667788n, rcx: 0x33445566n, rdx: 0x5566n },
    memory: { [second - 8]: 0x6677881111111111n, [second]: 0x2222221122334455n },
  },
  {
    title: "16 unaligned bytes across pages",
    code: `movups xmm0, [${second - 5}]\nmovups [${second - 11}], xmm0\nmovq rax, xmm0`,
    change: fill,
    what: "done",
    regs: { rax: 0x2222221111111111n },
    memory: { [second - 8]: 0x2222222222221111n, [second]: 0x2222222222222222n },
  },
  ...(
    [
      ["read-only", USED | U, 0x7],
      ["absent", 0, 0x6],
      ["a supervisor's", USED | W, 0x7],
    ] as const
  ).flatMap(([name, flags, error]) =>
    [
      ["a store of 8 bytes", "mov rax, -1\nat: mov [target], rax"],
      ["a store of 2 bytes", "mov eax, -1\nat: mov [target], ax"],
      ["a read-modify-write", "mov rax, -1\nat: add [target], rax"],
      ["a locked exchange", "mov eax, 5\nat: xchg [target], eax"],
      ["a push", "lea rsp, [target + 8]\nat: push rax"],
      ["a call", "lea rsp, [target + 8]\nmov eax, offset at\nat: call rax"],
      ["a store of 16 bytes", "pcmpeqd xmm0, xmm0\nat: movups [target], xmm0"],
      ["an x87 store of 10 bytes", "fldpi\nat: fstp tbyte ptr [target]", 10],
    ].map(([access, code]) => ({
      title: `${access} whose second page is ${name} writes nothing`,
      code: `.set target, ${second - 1}\n${code}`,
      change: secondIs(flags),
      what: `#PF(0x${error.toString(16)}) 0x${second.toString(16)}`,
      at: "at",
      memory: untouched,
    })),
  ),
  {
    title: "a load whose second page is absent leaves the register",
    code: `mov rax, 5\nat: mov rax, [${second - 4}]`,
    change: secondIs(0),
    what: `#PF(0x4) 0x${second.toString(16)}`,
    at: "at",
    regs: { rax: 5n },
  },

  // --- REP interrupted half-way ---
  {
    title: "REP STOSB stops at the page that it cannot write, with registers there",
    code: `mov edi, ${second - 5}\nmov ecx, 20\nmov al, 0xee\nat: rep stosb`,
    change: secondIs(USED | U),
    what: `#PF(0x7) 0x${second.toString(16)}`,
    at: "at",
    regs: { rcx: 15n, rdi: BigInt(second) },
    memory: { [second - 8]: 0xeeeeeeeeee111111n, [second]: TWOS },
  },
  {
    title: "REP STOSQ stops in front of the item that crosses into it",
    code: `mov edi, ${second - 20}\nmov ecx, 9\nmov rax, -1\nat: rep stosq`,
    change: secondIs(0),
    what: `#PF(0x6) 0x${second.toString(16)}`,
    at: "at",
    regs: { rcx: 7n, rdi: BigInt(second - 4) },
    memory: { [second - 8]: 0x11111111ffffffffn },
  },
  {
    title: "REP MOVSD stops where its source ends",
    code: `mov esi, ${second - 12}\nmov edi, ${At.data}\nmov ecx, 8\nat: rep movsd`,
    change: secondIs(0),
    what: `#PF(0x4) 0x${second.toString(16)}`,
    at: "at",
    regs: { rcx: 5n, rsi: BigInt(second), rdi: BigInt(At.data + 12) },
    memory: { [At.data]: ELEVENS, [At.data + 8]: 0x11111111n },
  },
  {
    title: "REP MOVSB downwards stops below the page",
    code: `mov esi, ${At.data + 15}\nmov edi, ${second + 3}\nmov ecx, 16\nstd\nat: rep movsb`,
    change: (guest) => {
      fill(guest);
      guest.page(first, USED | U);
    },
    what: `#PF(0x7) 0x${(second - 1).toString(16)}`,
    at: "at",
    regs: { rcx: 12n, rsi: BigInt(At.data + 11), rdi: BigInt(second - 1) },
    memory: { [second]: 0x2222222200000000n, [second - 8]: ELEVENS },
  },
  {
    title: "REPE CMPSB stops at the page that it cannot read",
    code: `mov esi, ${first}\nmov edi, ${second - 4}\nmov ecx, 16\nat: repe cmpsb`,
    change: secondIs(USED),
    what: `#PF(0x5) 0x${second.toString(16)}`,
    at: "at",
    regs: { rcx: 12n, rsi: BigInt(first + 4), rdi: BigInt(second) },
  },
  {
    title: "REPNE SCASW stops at the page that it cannot read",
    code: `mov edi, ${second - 6}\nmov ecx, 16\nxor eax, eax\nat: repne scasw`,
    change: secondIs(0),
    what: `#PF(0x4) 0x${second.toString(16)}`,
    at: "at",
    regs: { rcx: 13n, rdi: BigInt(second) },
  },
  {
    title: "REP LODSQ stops at the page that it cannot read",
    code: `mov esi, ${second - 16}\nmov ecx, 4\nat: rep lodsq`,
    change: secondIs(0),
    what: `#PF(0x4) 0x${second.toString(16)}`,
    at: "at",
    regs: { rcx: 2n, rsi: BigInt(second), rax: ELEVENS },
  },
];

/** What a case got wrong. */
export function mistakes(one: AwkwardCase, guest: Guest, outcome: Outcome): string[] {
  const found: string[] = [];
  const note = (name: string, got: bigint | string, wanted: bigint | string) => {
    const text = (value: bigint | string) => (typeof value === "string" ? value : `0x${value.toString(16)}`);
    if (got !== wanted) found.push(`${name}: ${text(got)}, not ${text(wanted)}`);
  };
  note("outcome", outcome.what, one.what);
  if (one.at) note("rip", outcome.frame?.rip ?? "no frame", guest.symbol(one.at));
  for (const [name, value] of Object.entries(one.regs ?? {})) {
    note(name, outcome.regs[name as "rax"], value);
  }
  for (const [at, value] of Object.entries(one.memory ?? {})) {
    note(`memory at 0x${Number(at).toString(16)}`, guest.word(Number(at)), value);
  }
  return found;
}
