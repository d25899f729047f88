/** Object files of assembled text, linked by GNU ld with what a C compiler made, and run. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ObjectModel, ObjectSectionModel, RelocationModel, SymbolModel } from "@kvmkit/elf";
import {
  type AsmObject,
  assemble,
  type ObjectSection,
  type ObjectSymbol,
  type Relocation,
} from "@kvmkit/x86-asm";
import { toolTest } from "@kvmkit-internal/test-support";
import test from "ava";
import { writeObject } from "./link-object.js";

/** `true` where every value of one type is one of the other: neither package imports the other, so this pins them. */
type Is<Given, Wanted> = [Given] extends [Wanted] ? true : false;

test("the assembler's object is what the ELF writer takes, part by part", (t) => {
  const pinned: [
    Is<Relocation, RelocationModel>,
    Is<ObjectSymbol, SymbolModel>,
    Is<ObjectSection, ObjectSectionModel>,
    Is<AsmObject & { readonly kind: "object" }, ObjectModel>,
  ] = [true, true, true, true];
  t.is(pinned.length, 4);
});

const C_PROGRAM = `
#include <stdio.h>
extern long sum(const long *values, long count);
extern long counted;
extern const char *greeting(void);
extern long next_of_thread(void);
__thread long of_thread = 40;
long scale(long value) { return value * 3; }
int main(void) {
  long values[] = { 1, 2, 3, 4 };
  printf("%s\\n", greeting());
  long total = sum(values, 4);
  printf("%ld %ld\\n", total, counted);
  long next = next_of_thread();
  printf("%ld %ld\\n", next, of_thread);
  return 0;
}
`;

/** Calls C, is called by C, has data of its own, and a variable of the thread. */
const TEXT = `
    .intel_syntax noprefix
    .globl sum, counted, greeting, next_of_thread
    .type sum, @function
sum:
    push rbx
    push r12
    push r13
    mov rbx, rdi
    mov r12, rsi
    xor r13d, r13d
1:  test r12, r12
    jz 2f
    mov rdi, [rbx]
    call scale@PLT
    add r13, rax
    add rbx, 8
    dec r12
    inc qword ptr counted[rip]
    jmp 1b
2:  mov rax, r13
    pop r13
    pop r12
    pop rbx
    ret
    .size sum, . - sum

greeting:
    mov rax, message_at[rip]
    ret

next_of_thread:
    mov rax, of_thread@GOTTPOFF[rip]
    mov rcx, fs:[0]
    inc qword ptr [rcx+rax]
    mov rax, [rcx+rax]
    ret

    .data
counted: .quad 0
    .balign 8
message_at: .quad message
    .section .rodata
message: .asciz "hello from assembled text"
`;

const TOOLS = { gcc: "gcc", ld: "binutils" };

for (const [kind, flags] of [
  ["a position-independent executable", ["-pie"]],
  ["an executable at a fixed address", ["-no-pie"]],
  ["a static executable", ["-static"]],
] as const) {
  toolTest(`assembled text links with C to ${kind}, which runs on Linux`, TOOLS, (t) => {
    const dir = mkdtempSync(join(tmpdir(), "kvmkit-object-"));
    try {
      const path = (name: string) => join(dir, name);
      writeFileSync(path("main.c"), C_PROGRAM);
      writeFileSync(path("text.o"), writeObject(assemble(TEXT).object, "text.s"));
      const compiler = spawnSync(
        "gcc",
        ["-O1", ...flags, "-o", path("program"), path("main.c"), path("text.o")],
        {
          encoding: "utf8",
        },
      );
      t.is(compiler.stderr, "");
      const { stdout, status } = spawnSync(path("program"), { encoding: "utf8" });
      t.deepEqual([stdout, status], ["hello from assembled text\n30 4\n41 41\n", 0]);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
}
