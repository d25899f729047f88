import { toolTest } from "@kvmkit-internal/test-support";
import { AsmError } from "./errors.js";
import { assembleWithNasm } from "./nasm.test.helper.js";
import { type Entry, randomInstructions } from "./random-instructions.test.support.js";
import { Decoder, format } from "./vector/decoder.js";
import { assembleFlat } from "./vector/index.js";

type Bits = 16 | 32 | 64;

const TOOLS = { nasm: "nasm" };
const COUNT = 400;

/** Where NASM 2.16 is not what it should be, or chooses another encoding of the same instruction: with the reason. */
const OTHERWISE: readonly RegExp[] = [
  // FP16: its displacement bytes count in the wrong unit, and VFMADD132PH and its kin have another's opcode.
  /^v\w*(sh|ph|w|sh2\w+|ph2\w+|2sh|2ph|phx) /,
  /^v\w*(2sh|2ph|sh2\w+|ph2\w+|psx|2phx) /,
  // Prefixes: F3 and NP are taken for F2 and 66.
  /^(vcvtneps2bf16|ptwrite|wrssd|wrssq|wrussd|wrussq|vmgexit)\b/,
  // REX.W in 64-bit mode, which they do not need.
  /^(enqcmds?|invpcid) /,
  // Integers have no width of their own in EVEX.W here: VCVTUSI2SS with rounding is FP16's.
  /^vcvtusi2ss /,
  // The 287's have no FWAIT here.
  /^fsetpm/,
  // The same instruction with the registers in each other's place.
  /^(xchg|vpperm|vpcmov|vfn?m(add|sub|addsub|subadd)[ps][sd]) /,
  /^\{evex\} vpextrw /,
  /^f(add|mul|subr?|divr?) st0, st0$/,
  // It does not take the other direction to save a byte of the prefix.
  /^vmov(s[sd]|[au]p[sd]|dq[au]|q) [xy]mm\d+, [xy]mm/,
];

function ownBytes(line: string, bits: Bits): string | undefined {
  try {
    return Buffer.from(assembleFlat(line, { bits, dialect: "nasm" })).toString("hex");
  } catch (error) {
    if (error instanceof AsmError) return undefined;
    throw error;
  }
}

/** Random instructions as the decoder spells them for NASM. */
function spelled(bits: Bits, entry: Entry): string[] {
  const decoder = new Decoder();
  const lines = randomInstructions(COUNT, bits, bits + 7, entry);
  return lines.flatMap((line) => {
    let bytes: Uint8Array;
    try {
      bytes = assembleFlat(line, { bits });
    } catch {
      return [];
    }
    const instruction = decoder.decode(bytes, { bits });
    return instruction === undefined ? [] : [format(instruction, { dialect: "nasm" })];
  });
}

for (const entry of ["core", "vector"] as const) {
  for (const bits of [16, 32, 64] as const) {
    toolTest(
      `NASM takes what the decoder spells for it, to the same bytes: ${entry}, ${bits}-bit mode`,
      TOOLS,
      (t) => {
        const lines = spelled(bits, entry);
        const theirs = assembleWithNasm(lines, bits);
        const wrong = lines
          .map((line, i) => ({ line, nasm: theirs[i], own: ownBytes(line, bits) }))
          .filter(
            ({ line, nasm, own }) =>
              nasm !== undefined && nasm !== own && !OTHERWISE.some((p) => p.test(line)),
          );
        t.deepEqual(wrong, []);
        // The rest is newer than NASM 2.16, or AMD's.
        t.true(theirs.filter((bytes) => bytes !== undefined).length > lines.length * 0.75);
      },
    );
  }
}

/** Spellings of NASM's own, by mode: taken or refused, we do as NASM does. */
const SPELLINGS: Readonly<Record<Bits, readonly string[]>> = {
  64: [
    "mov rax, 1",
    "mov rax, 0xffffffff",
    "mov rax, -1",
    "mov rax, dword 5",
    "mov rax, qword 5",
    "mov rax, strict dword 5",
    "mov rax, strict qword 5",
    "mov r9, 0x80000000",
    "push word 1",
    "push qword 1",
    "push strict dword 1",
    "add eax, strict dword 1",
    "add eax, strict byte 1",
    "o16 push fs",
    "o64 sysret",
    "o64 retf",
    "o16 leave",
    "a32 lodsb",
    "a32 fs movsb",
    "a64 lodsb",
    "a16 lodsb",
    "rep movsq",
    "repne scasb",
    "lock add word [fs:esi], 1",
    "xacquire lock add dword [rax], 1",
    "xrelease mov [rax], ecx",
    "bnd jmp rax",
    "mov eax, [rel $+0x10]",
    "mov eax, [rel 0x10]",
    "mov eax, [abs 0x10]",
    "mov eax, [qword 0x123456789abcdef0]",
    "mov al, [qword 0x10]",
    "mov eax, [dword 0x10]",
    "mov eax, [byte rax]",
    "mov eax, [dword rax]",
    "mov eax, [rax*2]",
    "mov eax, [nosplit rax*2]",
    "mov eax, [rax*5]",
    "mov eax, [rax*3+rbx]",
    "mov eax, [rax*6]",
    "mov eax, [rsp*2]",
    "mov eax, [rax+ebx]",
    "mov [rax], 1",
    "inc [rax]",
    "call far [rax]",
    "call far dword [rax]",
    "jmp far qword [rax]",
    "jmp 8:0x10",
    "push eax",
    "mov ah, r8b",
    "vaddps zmm1{k2}{z}, zmm3, [rax]{1to16}",
    "vaddps zmm1{k2}, zmm3, zmm4, {rn-sae}",
    "vaddps zmm1, zmm3, zmm4, {rz-sae}",
    "vcmpps k1{k2}, zmm3, zmm4, {sae}, 3",
    "vucomisd xmm1, xmm2, {sae}",
    "vaddps zmm1{k0}, zmm2, zmm3",
    "vaddps zmm1, zmm3, [rax]{1to8}",
    "vaddps zmm1, zmm3, [rax], {rn-sae}",
    "vaddps xmm1, xmm2, xmm3, {rn-sae}",
    "vmovups [rax]{k1}, zmm2",
    "vmovups [rax]{k1}{z}, zmm2",
    "vpgatherdd zmm1{k1}, [rax+zmm2*4]",
    "vgatherdps xmm0, [rax+xmm1*4], xmm2",
    "{evex} vaddps xmm0, xmm1, xmm2",
    "{vex3} vaddps xmm0, xmm1, xmm2",
    "{vex2} vaddps xmm0, xmm1, xmm2",
    "vaddps xmm16, xmm1, xmm2",
    "vhaddps xmm16, xmm1, xmm2",
    "vaddps ymm1, xmm2, ymm3",
  ],
  32: [
    "mov eax, [rel 0x10]",
    "push word 1",
    "push dword 1",
    "push qword 1",
    "jmp word 0x8:0x10",
    "jmp dword 0x8:0x10",
    "jmp 0x8:0x10",
    "call word 0x10",
    "jmp word 0x10",
    "call far [eax]",
    "call far word [eax]",
    "o16 pusha",
    "o32 pusha",
    "a16 lodsb",
    "a16 mov eax, [bx+si]",
    "mov eax, [bx+bp]",
    "mov rax, 1",
    "mov r8d, 1",
    "lea ax, [bx+si+1]",
    "jecxz $",
    "o64 nop",
  ],
  16: [
    "jmp dword 0x8:0x12345",
    "jmp 0x8:0x10",
    "jmp word 0x8:0x10",
    "o32 ret",
    "a32 lodsb",
    "mov eax, [eax+ebx*4]",
    "mov ax, [bx+si]",
    "mov ax, [si+bx]",
    "mov ax, [bp]",
    "mov ax, [ax]",
    "lgdt [bx]",
    "o32 lgdt [bx]",
    "push dword 5",
    "call far [bx]",
  ],
};

for (const bits of [16, 32, 64] as const) {
  toolTest(`spellings of NASM's are taken and refused as NASM does, in ${bits}-bit mode`, TOOLS, (t) => {
    const lines = SPELLINGS[bits];
    const theirs = assembleWithNasm(lines, bits);
    t.deepEqual(
      lines.map((line) => `${line}: ${ownBytes(line, bits) ?? "refused"}`),
      lines.map((line, i) => `${line}: ${theirs[i] ?? "refused"}`),
    );
  });
}

/** What NASM takes, with a warning at most, and we refuse. */
const STRICTER: readonly (readonly [line: string, reason: string])[] = [
  ["lock mov eax, ebx", "#UD"],
  ["mov eax, 0x100000000", "a value that does not fit is never cut off"],
  ["add rax, 0x80000000", "the processor would sign-extend it to another value"],
  ["vaddps zmm1{z}, zmm2, zmm3", "#UD without a mask"],
  ["vpgatherdd zmm1, [rax+zmm2*4]", "#UD without a mask"],
];

for (const [line, reason] of STRICTER) {
  toolTest(`NASM takes it, we refuse (${reason}): ${line}`, TOOLS, (t) => {
    t.not(assembleWithNasm([line], 64)[0], undefined);
    t.is(ownBytes(line, 64), undefined);
  });
}
