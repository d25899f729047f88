import test from "ava";
import { AsmError, Assembler, eax, link, mem, rax, rbx, rcx, rdi, rsi, rsp, sym } from "./index.js";

function hex(build: (a: Assembler) => void, bits: 16 | 32 | 64 = 64): string {
  const a = new Assembler({ bits });
  build(a);
  return Buffer.from(link(a.assemble()).sections[0]!.bytes).toString("hex");
}

const CASES: readonly (readonly [title: string, bytes: string, build: (a: Assembler) => void])[] = [
  ["[base + index*scale + disp8]", "488b448bf8", (a) => a.mov(rax, mem.qword(rbx, rcx, 4, -8))],
  ["a GS-relative absolute address", "65488b042510000000", (a) => a.mov(rax, mem.seg("gs").qword(0x10))],
  ["LOCK CMPXCHG", "f0480fb137", (a) => a.lock.cmpxchg(mem.qword(rdi), rsi)],
  ["REP STOSQ", "f348ab", (a) => a.rep.stosq()],
  ["OUT imm8, EAX", "e7e4", (a) => a.out(0xe4, eax)],
  ["SWAPGS", "0f01f8", (a) => a.swapgs()],
  ["a sign-extended upper-half immediate", "48c7c000000080", (a) => a.mov(rax, 0xffffffff80000000n)],
  ["a 64-bit immediate that is not sign-extended", "48b8ffffffff00000000", (a) => a.mov(rax, 0xffffffff)],
  ["a backward short branch", "ebfe", (a) => a.label("x").jmp("x")],
  [
    "a branch out of reach of 8 bits",
    `e980000000${"00".repeat(128)}`,
    (a) => a.jmp("x").zero(128).label("x"),
  ],
  ["a branch just in reach of 8 bits", `eb7f${"00".repeat(127)}`, (a) => a.jmp("x").zero(127).label("x")],
];

for (const [title, bytes, build] of CASES) {
  test(`the builder encodes ${title}`, (t) => t.is(hex(build), bytes));
}

test("link resolves symbols of the upper half in sign-extended 32-bit fields", (t) => {
  const a = new Assembler();
  a.label("entry")
    .mov(mem.qword(sym("cpu0").plus(8)), rax)
    .jmp(mem.qword(sym("table"), rax, 8));
  a.cmp(mem.qword(rsp, 8), sym("entry"));
  a.section(".data").label("cpu0").dq(0, 0).label("table").dq(sym("entry"));
  const image = link(a.assemble(), {
    origins: { ".text": 0xffffffff80100000n, ".data": 0xffffffff80200000n },
  });
  const [text, data] = image.sections.map(({ bytes }) => Buffer.from(bytes).toString("hex"));
  t.is(text, "4889042508002080" + "ff24c510002080" + "48817c240800001080");
  t.is(data, `${"00".repeat(16)}00001080ffffffff`);
  t.is(image.symbols.get("table")!.address, 0xffffffff80200010n);
});

test("link reports every undefined symbol and every field that does not fit", (t) => {
  const a = new Assembler();
  a.call("nowhere")
    .mov(eax, mem.dword(sym("far")))
    .equ("far", 0x1_0000_0000n);
  const error = t.throws(() => link(a.assemble()), { instanceOf: AsmError });
  t.deepEqual(
    error?.errors.map(({ code }) => code),
    ["ERR_ASM_RANGE"],
  );
  const undefinedOnly = new Assembler().call("nowhere").jmp("elsewhere").assemble();
  const second = t.throws(() => link(undefinedOnly), { instanceOf: AsmError });
  t.deepEqual(
    second?.errors.map(({ code }) => code),
    ["ERR_ASM_SYMBOL", "ERR_ASM_SYMBOL"],
  );
});

test("a refused instruction throws AsmError and appends nothing", (t) => {
  const a = new Assembler();
  const untyped = a as unknown as { mov(...operands: unknown[]): void };
  t.throws(() => untyped.mov(eax, rax), { instanceOf: AsmError, code: "ERR_ASM_OPERANDS" });
  t.throws(() => a.lock.mov(rax, rbx), { instanceOf: AsmError, code: "ERR_ASM_PREFIX" });
  t.throws(() => a.inc(mem(rax)), { instanceOf: AsmError, code: "ERR_ASM_AMBIGUOUS" });
  a.ret();
  t.is(Buffer.from(a.assemble().sections[0]!.bytes).toString("hex"), "c3");
});
