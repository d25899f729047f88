import test from "ava";
import { assembleFlat, check } from "./vector/index.js";

type Bits = 16 | 32 | 64;

/** Lines and their bytes, as GNU as has them. */
const AS_GNU: readonly (readonly [bits: Bits, line: string, bytes: string])[] = [
  // The address size of a bare offset is the prefix's, whatever encodes it.
  [16, "addr32 vmovdqa xmm0,XMMWORD PTR ds:0x99", "67c5f96f0599000000"],
  [16, "addr32 vmovdqu8 xmm0{k1},XMMWORD PTR ds:0x99", "6762f17f096f0599000000"],
  [16, "addr32 vpcmov xmm0,xmm1,XMMWORD PTR ds:0x99,xmm2", "678fe870a2059900000020"],
  [16, "addr32 mov ecx,DWORD PTR ds:0x99", "67668b0d99000000"],
  [32, "addr16 vmovdqa xmm0,XMMWORD PTR ds:0x99", "67c5f96f069900"],
  [64, "addr32 vmovdqa xmm0,XMMWORD PTR ds:0x99", "67c5f96f042599000000"],
  // XRELEASE takes the form that stores through ModR/M.
  [32, "xrelease mov BYTE PTR ds:0x12345678,al", "f3880578563412"],
  [64, "xrelease mov QWORD PTR ds:0x12345678,rax", "f34889042578563412"],
  // A segment stands once, also where the operand has it as well.
  [64, "fs add BYTE PTR fs:[rax],al", "640000"],
  [32, "ds mov eax,DWORD PTR ss:[ebp]", "3e8b4500"],
  // Encoding hints, several at once and on either side of prefixes.
  [64, "{disp32} {vex3} vmovaps xmm0,[rax]", "c4e178288000000000"],
  [64, "{disp32} lock add [rax],eax", "f0018000000000"],
  [64, "lock {disp32} add [rax],eax", "f0018000000000"],
  [64, "{evex} {disp8} vmovaps xmm0,[rax]", "62f17c08284000"],
  [64, "{load} mov eax,ebx", "8bc3"],
  [64, "{store} mov eax,ebx", "89d8"],
  [64, "{rex} {load} mov eax,ebx", "408bc3"],
  [64, "{load} add cl,dl", "02ca"],
  [64, "{load} test eax,ebx", "85c3"],
  [64, "{store} movups xmm0,xmm1", "0f11c8"],
  [64, "{store} movq xmm0,xmm1", "660fd6c8"],
  [64, "{store} bndmov bnd0,bnd1", "660f1bc8"],
  [64, "{store} pextrw eax,xmm1,1", "660f3a15c801"],
  [64, "{store} movd xmm0,eax", "660f6ec0"],
  [64, "{disp32} jmp 1f; 1:", "e900000000"],
  [64, "{disp32} jo 1f; 1:", "0f8000000000"],
  [64, "{disp8} jmp 1f; 1:", "eb00"],
  // A branch of another width keeps BND, CS, DS and REX of its prefixes.
  [64, "addr32 data16 bnd jge 0x14", "66f20f8d0e00"],
  [32, "data16 gs jb 0x83", "660f827e00"],
  // A pointer that is written out has an operand size and no other prefix.
  [32, "data16 jmp 0x8:0x10", "66ea10000800"],
  [16, "data32 jmp 0x8:0x10", "66ea100000000800"],
  [32, "cs jmp 0x8:0x10", "ea100000000800"],
  [16, "addr32 cs jmp 0xd9:0x74", "ea7400d900"],
  [16, "addr32 bndmk bnd1,ds:0x399", "67f30f1b0d99030000"],
  // Short distances wrap at the mode's width.
  [32, "loop 0xffffff92", "e290"],
  [16, "jcxz 0xfffe", "e3fc"],
  [16, "loop 0x10", "e20e"],
];

for (const [bits, line, bytes] of AS_GNU) {
  test(`${bits}-bit mode, as GNU as: ${line}`, (t) => {
    t.is(Buffer.from(assembleFlat(line, { bits })).toString("hex"), bytes);
  });
}

/** What objdump prints for bytes that GNU as makes of no text: ours gives the same bytes back. */
const AS_OBJDUMP: readonly (readonly [bits: Bits, line: string, bytes: string])[] = [
  [64, "data16 cs nop WORD PTR [rax+rax*1+0x0]", "662e660f1f440000"],
  [64, "data16 cs nop WORD PTR [rax+rax*1]", "662e660f1f0400"],
  [32, "data16 nop WORD PTR cs:[eax+eax*1+0x0]", "662e660f1f440000"],
  [64, "data16 retw", "6666c3"],
  [64, "es mov eax,DWORD PTR [rax+0x0]", "268b4000"],
  [64, "data16 es stc", "6626f9"],
  [64, "addr32 ss mov WORD PTR [ecx+0x12],ds", "6736678c5912"],
  [64, "repz nop eax", "f30f1fc0"],
  // MPX: 64-bit addresses whatever the prefix says.
  [64, "addr32 bndmk bnd1,[rax]", "67f30f1b08"],
  [64, "addr32 ds bndstx [rcx+0x3],bnd1", "673e0f1b4903"],
  [32, "repnz prefetchnta BYTE PTR [edx+0x0]", "f20f184200"],
];

for (const [bits, line, bytes] of AS_OBJDUMP) {
  test(`${bits}-bit mode, as objdump: ${line}`, (t) => {
    t.is(Buffer.from(assembleFlat(line, { bits })).toString("hex"), bytes);
  });
}

for (const bits of [16, 32] as const) {
  test(`${bits}-bit mode refuses a short distance that does not fit: loop 0x92`, (t) => {
    t.throws(() => assembleFlat("loop 0x92", { bits }), { code: "ERR_ASM_RANGE" });
  });
}

for (const [bits, line, code] of [
  [32, "ds ss xchg ax,ax", "ERR_ASM_PREFIX"],
  [32, "ds ss", "ERR_ASM_PREFIX"],
  [32, "cs notrack call eax", "ERR_ASM_PREFIX"],
  [32, "repnz nop DWORD PTR ds:[eax]", "ERR_ASM_PREFIX"],
  [32, "repnz xsha1", "ERR_ASM_PREFIX"],
  [64, "gs mov eax,DWORD PTR fs:[rax]", "ERR_ASM_PREFIX"],
  [64, "es mov eax,DWORD PTR fs:[rax]", "ERR_ASM_PREFIX"],
  [32, "repz repnz nop", "ERR_ASM_PREFIX"],
  [32, "xacquire xrelease lock add DWORD PTR [eax],ecx", "ERR_ASM_PREFIX"],
  // 66 would make another instruction of it.
  [64, "data16 addps xmm0,xmm1", "ERR_ASM_PREFIX"],
  [32, "data16 movss DWORD PTR ds:[edx],xmm4", "ERR_ASM_PREFIX"],
  [64, "data16 movd mm0,eax", "ERR_ASM_PREFIX"],
  [64, "rex.B mov r8,rbx", "ERR_ASM_PREFIX"],
  [64, "rex.WRXB add rax,0x0", "ERR_ASM_PREFIX"],
  [64, "data16 es jb 0x20", "ERR_ASM_PREFIX"],
  [64, "es fdiv st(0),st", "ERR_ASM_PREFIX"],
  [16, "addr32 umonitor ecx", "ERR_ASM_PREFIX"],
  [16, "addr32 jcxz 0x10", "ERR_ASM_PREFIX"],
  [64, "bndcn bnd1,[r8d+r9d*4]", "ERR_ASM_ADDRESS"],
  [32, "lock jmp 0x8:0x10", "ERR_ASM_PREFIX"],
  [32, "data16 call 0x8:0x12345", "ERR_ASM_OPERANDS"],
  [64, "addr32 mov eax,[rcx]", "ERR_ASM_ADDRESS"],
  [64, "{vex3} data16 vmovaps xmm0,xmm1", "ERR_ASM_PREFIX"],
  [64, "{vex3}", "ERR_ASM_SYNTAX"],
] as const) {
  test(`${bits}-bit mode refuses with ${code}: ${line}`, (t) => {
    t.is(check(line, { bits })[0]?.code, code);
  });
}
