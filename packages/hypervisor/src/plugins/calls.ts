/**
 * The plugin `calls`: a program that waits for calls of its host (`vm.call()`).
 *
 * The guest's side is a loop: it hands over what the last function returned, gets the next one, and calls it as the
 * psABI says. `call_next` answers with more than rax, which is why `vm.call()` answers it, not its handler:
 *
 *   rax = the function; rdi rsi rdx r10 r8 r9 = its integer arguments (r10 for rcx, as in any system call);
 *   r12 = rsp for the call, below everything that was passed in memory; CALL_FRAME.sse = its xmm0 to xmm7
 *
 * Source: psABI, "Parameter Passing", "A.2.1 Calling Conventions".
 */
import { ERRNO } from "@kvmkit/guest-kernel/abi";
import { t } from "../argument-types.js";
import { definePlugin } from "../plugin.js";

/** What the guest lends the host for what registers do not carry: offsets from `frame`, which is 16-byte aligned. */
export const CALL_FRAME = {
  /** Eight f64 for the call's xmm0 to xmm7. Afterwards the first is the function's xmm0. */
  sse: 0,
  size: 64,
} as const;

const SERVE = "kvmkit_serve_calls";

/** Saves what its own caller may expect to keep, and returns only where the host refuses. */
const loop = (number: string): readonly string[] => [
  "push rbp",
  "mov rbp, rsp",
  "push rbx",
  "push r12",
  `sub rsp, ${CALL_FRAME.size}`,
  "and rsp, -16",
  "xor edi, edi",
  "1:",
  "mov rsi, rsp",
  `mov eax, ${number}`,
  "syscall",
  `cmp rax, -${ERRNO.ENOSYS}`,
  "je 2f",
  // -EFAULT: what the host wanted to pass found no room. It knows, and waits for the next hypercall.
  "test rax, rax",
  "js 1b",
  ...Array.from({ length: 8 }, (_, n) => `movsd xmm${n}, qword ptr [rsp + ${CALL_FRAME.sse + 8 * n}]`),
  "mov rcx, r10",
  "mov r11, rax",
  "mov rbx, rsp",
  "mov rsp, r12",
  // A function with a variable number of arguments wants a bound of how many SSE registers are in use.
  "mov eax, 8",
  "call r11",
  "mov rsp, rbx",
  `movsd qword ptr [rsp + ${CALL_FRAME.sse}], xmm0`,
  "mov rdi, rax",
  "jmp 1b",
  "2:",
  "lea rsp, [rbp - 16]",
  "pop r12",
  "pop rbx",
  "pop rbp",
  "ret",
];

const DOC =
  "Waits for calls of the host, vm.call(), and serves them. Returns only where nobody calls: -ENOSYS.";

// A naked function takes basic asm only, so the number must be part of the text.
const C = `/** ${DOC} */
#define KVMKIT_TEXT_(number) #number
#define KVMKIT_TEXT(number) KVMKIT_TEXT_(number)
__attribute__((naked, noinline, unused)) static long ${SERVE}(void) {
  __asm__(".intel_syntax noprefix\\n"
${loop("{number}")
  .map((line) => `          "${line.replace("{number}", '" KVMKIT_TEXT(KVMKIT_NR_call_next) "')}\\n"`)
  .join("\n")}
          ".att_syntax prefix\\n");
}
#undef KVMKIT_TEXT
#undef KVMKIT_TEXT_
`;

const ASM = `# ${DOC}
# Put the macro where the function shall be.
.macro ${SERVE}_here
${SERVE}:
${loop("SYS_call_next")
  .map((line) => (line.endsWith(":") ? line : `    ${line}`))
  .join("\n")}
.endm
`;

const RUST = `/// ${DOC}
pub fn ${SERVE}() -> i64 {
    extern "C" {
        fn ${SERVE}_loop() -> i64;
    }
    // SAFETY: the loop keeps every register that the psABI wants kept.
    unsafe { ${SERVE}_loop() }
}

core::arch::global_asm!(
    "${SERVE}_loop:",
${loop("{number}")
  .map((line) => `    "${line}",`)
  .join("\n")}
    number = const NR_CALL_NEXT,
);
`;

export const calls = definePlugin({
  name: "calls",
  version: "1.0.0",
  abi: 1,
  source: { module: import.meta.url, export: "calls" },
  doc: "Functions of the program that the host calls.",
  hypercalls: {
    call_next: {
      args: { result: t.u64, frame: t.pointer },
      errors: ["ENOSYS"],
      doc: `Waits for the next call. result: rax of the function that was called last. Programs use ${SERVE}().`,
      handle({ vm }, { result, frame }) {
        vm.awaitCall(result, frame);
      },
    },
  },
  guest: { c: C, asm: ASM, rust: RUST },
});
