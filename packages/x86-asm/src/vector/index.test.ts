import test from "ava";
import * as core from "../index.js";
import * as vector from "./index.js";

const { Assembler, broadcast, k, link, masked, mem, rax, rounded, xmm1, ymm, zeroed, zmm } = vector;

function hex(build: (a: vector.Assembler) => void): string {
  const a = new Assembler();
  build(a);
  return Buffer.from(link(a.assemble()).sections[0]!.bytes).toString("hex");
}

const CASES: readonly (readonly [title: string, bytes: string, build: (a: vector.Assembler) => void])[] = [
  ["an instruction of the core entry", "48ffc0", (a) => a.inc(rax)],
  ["a two-byte VEX prefix", "c5f458c2", (a) => a.vaddps(ymm[0]!, ymm[1]!, ymm[2]!)],
  ["a mask", "62f16c4a58cb", (a) => a.vaddps(masked(zmm[1]!, k[2]!), zmm[2]!, zmm[3]!)],
  ["zeroing", "62f16cca58cb", (a) => a.vaddps(zeroed(zmm[1]!, k[2]!), zmm[2]!, zmm[3]!)],
  ["a broadcast", "62f16c585808", (a) => a.vaddps(zmm[1]!, zmm[2]!, broadcast(mem.dword(rax)))],
  ["a rounding mode", "62f16c7858cb", (a) => a.vaddps(zmm[1]!, zmm[2]!, rounded(zmm[3]!, "rz"))],
  ["disp8 times N", "62f16c48584801", (a) => a.vaddps(zmm[1]!, zmm[2]!, mem.zmmword(rax, 64))],
  [
    "a high register",
    "62e17c08580438",
    (a) => a.instruction("vaddps", vector.highXmm[0]!, vector.xmm0, mem.xmmword(rax, core.rdi)),
  ],
  ["an index vector", "c4e26190048d00000000", (a) => a.vpgatherdd(vector.xmm0, mem(0, xmm1, 4), vector.xmm3)],
  [
    "a form that a core mnemonic gets (TBM's BEXTR)",
    "8fea7810c105000000",
    (a) => a.bextr(core.eax, core.ecx, 5),
  ],
];

for (const [title, bytes, build] of CASES) {
  test(`the vector builder encodes ${title}`, (t) => t.is(hex(build), bytes));
}

test("the core entry has no vector instruction, the vector entry has them all", (t) => {
  t.is(core.check("vaddps xmm0, xmm1, xmm2")[0]?.code, "ERR_ASM_SYNTAX");
  t.deepEqual(vector.check("vaddps xmm0, xmm1, xmm2\nadd eax, ecx"), []);
});

for (const [line, code] of [
  ["addps xmm1{k1}, xmm2", "ERR_ASM_OPERANDS"],
  ["vaddps zmm1{z}, zmm2, zmm3", "ERR_ASM_OPERANDS"],
  ["vaddps zmm1{k0}, zmm2, zmm3", "ERR_ASM_SYNTAX"],
  ["vaddps zmm1, zmm2{k1}, zmm3", "ERR_ASM_OPERANDS"],
  ["vmovups [rax]{k1}{z}, zmm1", "ERR_ASM_OPERANDS"],
  ["vaddps zmm1, zmm2, [rax]{1to8}", "ERR_ASM_OPERANDS"],
  ["vaddpd zmm1, zmm2, dword bcst [rax]", "ERR_ASM_OPERANDS"],
  ["vaddps xmm1, xmm2, xmm3{rn-sae}", "ERR_ASM_OPERANDS"],
  ["vaddps zmm1, zmm2, [rax]{rn-sae}", "ERR_ASM_OPERANDS"],
  ["vpgatherdd zmm1, [rax+zmm2*4]", "ERR_ASM_OPERANDS"],
  ["addps xmm16, xmm1", "ERR_ASM_REGISTER"],
  ["vhaddps xmm16, xmm1, xmm2", "ERR_ASM_OPERANDS"],
  ["{vex} vaddps zmm1, zmm2, zmm3", "ERR_ASM_OPERANDS"],
  ["{evex} vhaddps xmm0, xmm1, xmm2", "ERR_ASM_OPERANDS"],
  ["lock vaddps xmm0, xmm1, xmm2", "ERR_ASM_PREFIX"],
  ["data16 vaddps xmm0, xmm1, xmm2", "ERR_ASM_PREFIX"],
  ["vaddps zmm1, zmm2, zmm3{rn-sa", "ERR_ASM_SYNTAX"],
  ["mov eax, 5{k1}", "ERR_ASM_SYNTAX"],
  ["tileloadd tmm1, [rip]", "ERR_ASM_ADDRESS"],
  ["vpgatherdd xmm0, [bx+xmm1*4], xmm2", "ERR_ASM_ADDRESS"],
] as const) {
  test(`refused with ${code}: ${line}`, (t) => {
    const [error] = vector.check(line);
    t.is(error?.code, code, error?.message);
    const a = new Assembler().nop();
    t.throws(() => a.text(line), { instanceOf: core.AsmError });
    t.is(Buffer.from(a.assemble().sections[0]!.bytes).toString("hex"), "90");
  });
}
