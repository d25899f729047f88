/** What code in ring 3 raises, exactly: for both engines and for /dev/kvm. The exception comes at the label `at`. */
import { CR0, CR4, EFER } from "../../architecture.js";
import type { Guest } from "./guest.js";

export interface UserFault {
  readonly title: string;
  readonly code: string;
  /** As `Outcome.what`. */
  readonly what: string;
  readonly change?: (guest: Guest) => void;
  /**
   * Not asked of /dev/kvm: without hardware virtualization ring 3 runs under the host's own CR0, CR4 and EFER, gate privilege
   * and INT n differ, INT1 comes as a fault, and what raises #GP in SSE may come as #UD.
   */
  readonly enginesOnly?: true;
}

const withoutAm = ({ sregs }: Guest): void => {
  sregs.cr0 &= ~BigInt(CR0.AM);
};
const setAc = "pushfq\nor qword ptr [rsp], 0x40000\npopfq";
const setTf = "pushfq\nor qword ptr [rsp], 0x100\npopfq";

const privileged = [
  "hlt",
  "cli",
  "sti",
  "clts",
  "invd",
  "wbinvd",
  "swapgs",
  "rdmsr",
  "wrmsr",
  "lgdt [0x20000]",
  "lidt [0x20000]",
  "lldt ax",
  "ltr ax",
  "lmsw ax",
  "invlpg [0x20000]",
  "mov rax, cr0",
  "mov cr3, rax",
  "mov rax, cr8",
  "mov rax, dr7",
  "mov dr0, rax",
  "in al, 0x10",
  "in eax, dx",
  "out 0x10, al",
  "insb",
  "outsd",
  "rep insd",
  "sysretq",
];

export const USER_FAULTS: readonly UserFault[] = [
  ...privileged.map((code) => ({ title: code, code: `at: ${code}`, what: "#GP(0x0)" })),
  { title: "DIV by zero", code: "xor ecx, ecx\nat: div ecx", what: "#DE" },
  { title: "DIV overflow", code: "mov edx, 7\nmov ecx, 7\nat: div rcx", what: "#DE" },
  {
    title: "IDIV of the smallest by -1",
    code: "mov rax, 0x8000000000000000\ncqo\nmov rcx, -1\nat: idiv rcx",
    what: "#DE",
  },
  { title: "INT3", code: "int3\nat: nop", what: "#BP" },
  { title: "INT 4 through a gate of level 3", code: "int 4\nat: nop", what: "#OF" },
  { title: "INT1", code: "int1\nat: nop", what: "#DB", enginesOnly: true },
  { title: "UD2", code: "at: ud2", what: "#UD" },
  { title: "UD1", code: "at: ud1 eax, eax", what: "#UD" },
  { title: "LOCK with a register", code: "at: .byte 0xf0, 0x01, 0xc0", what: "#UD" },
  { title: "PUSH ES in 64-bit mode", code: "at: .byte 0x06", what: "#UD" },
  { title: "CLAC in ring 3", code: "at: clac", what: "#UD", enginesOnly: true },
  { title: "MOV to CS", code: "at: .byte 0x8e, 0xc8", what: "#UD" },
  { title: "16 bytes", code: "at: .fill 15, 1, 0x66\nnop", what: "#GP(0x0)" },
  {
    title: "SYSCALL with EFER.SCE clear",
    code: "at: syscall",
    what: "#UD",
    change: ({ sregs }) => {
      sregs.efer &= ~BigInt(EFER.SCE);
    },
    enginesOnly: true,
  },
  { title: "INT n through a gate of level 0", code: "at: int 0x30", what: "#GP(0x182)", enginesOnly: true },
  {
    title: "INT n through an absent gate",
    code: "at: int 0x31",
    what: "#NP(0x18a)",
    enginesOnly: true,
    change: (guest) => guest.gate(0x31, { type: 0x6e }),
  },
  {
    title: "a jump to a non-canonical address",
    code: "mov rax, 0x800000000000\nat: jmp rax",
    what: "#GP(0x0)",
  },
  {
    title: "a call of a non-canonical address",
    code: "mov rax, 0x800000000000\nat: call rax",
    what: "#GP(0x0)",
  },
  {
    title: "a return to a non-canonical address",
    code: "mov rax, 0x800000000000\npush rax\nat: ret",
    what: "#GP(0x0)",
  },
  { title: "misaligned data with AM and AC", code: `${setAc}\nat: mov eax, [0x20002]`, what: "#AC(0x0)" },
  { title: "misaligned 8 bytes with AM and AC", code: `${setAc}\nat: mov [0x20004], rax`, what: "#AC(0x0)" },
  {
    title: "aligned data with AM and AC",
    code: `${setAc}\nmov eax, [0x20004]\nand dword ptr [rsp-8], 0\npushfq\nand qword ptr [rsp], ~0x40000\npopfq`,
    what: "done",
  },
  {
    title: "misaligned data with AC but not AM",
    code: `${setAc}\nmov eax, [0x20002]`,
    what: "done",
    change: withoutAm,
    enginesOnly: true,
  },
  { title: "misaligned MOVAPS", code: "at: movaps xmm0, [0x20008]", what: "#GP(0x0)" },
  {
    title: "an unmasked division by zero in SSE",
    code: "mov dword ptr [0x20000], 0x1d80\nldmxcsr [0x20000]\nmov eax, 0x3f800000\nmovd xmm0, eax\nxorps xmm1, xmm1\nat: divss xmm0, xmm1",
    what: "#XM",
  },
  {
    title: "the same without CR4.OSXMMEXCPT",
    code: "mov dword ptr [0x20000], 0x1d80\nldmxcsr [0x20000]\nmov eax, 0x3f800000\nmovd xmm0, eax\nxorps xmm1, xmm1\nat: divss xmm0, xmm1",
    what: "#UD",
    change: ({ sregs }) => {
      sregs.cr4 &= ~BigInt(CR4.OSXMMEXCPT);
    },
    enginesOnly: true,
  },
  {
    title: "an unmasked division by zero in x87, at the next waiting instruction",
    code: "fninit\nmov word ptr [0x20000], 0x37b\nfldcw [0x20000]\nfld1\nfldz\nfdivp\nnop\nat: fwait",
    what: "#MF",
  },
  {
    title: "reserved bits of MXCSR",
    code: "mov dword ptr [0x20000], 0x80000000\nat: ldmxcsr [0x20000]",
    what: "#GP(0x0)",
    enginesOnly: true,
  },
  { title: "TF: behind the next instruction", code: `${setTf}\nnop\nat: nop`, what: "#DB" },
  { title: "TF: not before a faulting instruction", code: `${setTf}\nat: ud2`, what: "#UD" },
  {
    title: "TF: behind one iteration of REP",
    code: `mov edi, 0x20000\nmov ecx, 3\n${setTf}\nat: rep stosb`,
    what: "#DB",
  },
  { title: "a selector beyond the GDT", code: "mov eax, 0x1003\nat: mov ds, eax", what: "#GP(0x1000)" },
  { title: "a kernel data segment", code: "mov eax, 0x18\nat: mov ds, eax", what: "#GP(0x18)" },
  { title: "a code segment in SS", code: "mov eax, 0x33\nat: mov ss, eax", what: "#GP(0x30)" },
  { title: "a null selector in SS at level 3", code: "xor eax, eax\nat: mov ss, eax", what: "#GP(0x0)" },
  {
    title: "a selector of the LDT that there is not",
    code: "mov eax, 0xf\nat: mov es, eax",
    what: "#GP(0xc)",
  },
  {
    title: "an absent data segment",
    code: "mov eax, 0x63\nat: mov ds, eax",
    what: "#NP(0x60)",
    change: (guest) => guest.descriptor(0x60, 0x00cf73000000ffffn),
  },
  {
    title: "an absent stack segment",
    code: "mov eax, 0x63\nat: mov ss, eax",
    what: "#SS(0x60)",
    change: (guest) => guest.descriptor(0x60, 0x00cf73000000ffffn),
  },
  {
    title: "IRETQ to a kernel code segment",
    code: "push 0x2b\npush 0x30000\npush 2\npush 0x10\npush 0x10000\nat: iretq",
    what: "#GP(0x10)",
  },
  { title: "a far return to a null selector", code: "push 0\npush 0x10000\nat: retfq", what: "#GP(0x0)" },
];
