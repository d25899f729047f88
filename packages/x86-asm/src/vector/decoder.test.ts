import { readdirSync, readFileSync } from "node:fs";
import test from "ava";
import * as core from "../decoder/index.js";
import { type DecodeOptions, Decoder, format } from "./decoder.js";
import { assembleFlat } from "./index.js";

const decoder = new Decoder();
const folder = new URL("../../testdata/vector-entry/", import.meta.url);

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

for (const name of readdirSync(folder)) {
  const bits = Number(name.split(".")[1]) as 16 | 32 | 64;
  test(`what is decoded from ${name} assembles to something that decodes alike, in both spellings`, (t) => {
    const wrong: string[] = [];
    for (const line of readFileSync(new URL(name, folder), "utf8").split("\n")) {
      if (line === "" || line.startsWith("#")) continue;
      const bytes = bytesOf(line.split(" | ")[0]!);
      const instruction = decoder.decode(bytes, { bits });
      if (instruction === undefined || instruction.length !== bytes.length) {
        wrong.push(`${line}: not decoded`);
        continue;
      }
      for (const dialect of ["gas", "nasm"] as const) {
        const printed = format(instruction, { dialect });
        const again = attempt(() => assembleFlat(printed, { bits, dialect }));
        const second = typeof again === "string" ? undefined : decoder.decode(again, { bits });
        const text = second === undefined ? String(again) : format(second, { dialect });
        if (text !== printed) wrong.push(`${line} (${dialect}): ${printed}, then ${text}`);
      }
    }
    t.deepEqual(wrong, []);
  });
}

function attempt(body: () => Uint8Array): Uint8Array | string {
  try {
    return body();
  } catch (error) {
    return String(error);
  }
}

const CASES: readonly (readonly [title: string, hex: string, text: string, options?: DecodeOptions])[] = [
  ["VEX of two bytes", "c5 f4 58 c2", "vaddps ymm0,ymm1,ymm2"],
  ["VEX of three bytes", "c4 41 34 58 c2", "vaddps ymm8,ymm9,ymm10"],
  ["a register in the upper half of an immediate", "c4 e3 75 4a c2 30", "vblendvps ymm0,ymm1,ymm2,ymm3"],
  ["and a number in the lower half", "c4 e3 69 49 c1 12", "vpermil2pd xmm0,xmm2,xmm1,xmm1,0x2"],
  ["a mask", "62 f1 6c 4a 58 cb", "vaddps zmm1{k2},zmm2,zmm3"],
  ["zeroing", "62 f1 6c ca 58 cb", "vaddps zmm1{k2}{z},zmm2,zmm3"],
  ["a broadcast", "62 f1 6c 58 58 08", "vaddps zmm1,zmm2,DWORD BCST [rax]"],
  ["a broadcast to a number of elements", "62 f1 fd 38 5a 00", "vcvtpd2ps xmm0,QWORD BCST [rax]{1to4}"],
  ["a rounding mode", "62 f1 6c 78 58 cb", "vaddps zmm1,zmm2,zmm3{rz-sae}"],
  ["suppressed exceptions", "62 f1 7c 18 2e c1", "vucomiss xmm0,xmm1{sae}"],
  ["a displacement in units", "62 f1 6c 48 58 48 01", "vaddps zmm1,zmm2,ZMMWORD PTR [rax+0x40]"],
  ["a displacement in elements", "62 f1 6c 58 58 48 01", "vaddps zmm1,zmm2,DWORD BCST [rax+0x4]"],
  ["registers beyond 15", "62 01 04 40 58 ff", "vaddps zmm31,zmm31,zmm31"],
  ["an index vector", "c4 e2 61 90 04 8d 00 00 00 00", "vpgatherdd xmm0,DWORD PTR [xmm1*4+0x0],xmm3"],
  ["a high index vector", "62 f2 7d 41 90 04 c8", "vpgatherdd zmm0{k1},DWORD PTR [rax+zmm17*8]"],
  ["EVEX where VEX would do", "62 f1 7c 08 58 c1", "{evex} vaddps xmm0,xmm0,xmm1"],
  ["VEX where the EVEX form came first", "c4 e2 79 50 c1", "{vex} vpdpbusd xmm0,xmm0,xmm1"],
  ["XOP", "8f e8 78 a2 c1 20", "vpcmov xmm0,xmm0,xmm1,xmm2"],
  ["TBM", "8f ea 78 10 c1 05 00 00 00", "bextr eax,ecx,0x5"],
  ["AMX", "c4 e2 73 5e c2", "tdpbssd tmm0,tmm2,tmm1"],
  ["LES, which EVEX's and VEX's bytes are elsewhere", "c4 00", "les eax,FWORD PTR [eax]", { bits: 32 }],
  ["BOUND", "62 00", "bound eax,QWORD PTR [eax]", { bits: 32 }],
  ["VEX outside 64-bit mode", "c5 f4 58 c2", "vaddps ymm0,ymm1,ymm2", { bits: 16 }],
  ["POP, which XOP's byte is elsewhere", "8f c0", "pop rax"],
  ["vvvv where the form has none", "c5 f0 28 c1", "(bad)"],
  ["zeroing without a mask", "62 f1 6c c8 58 cb", "(bad)"],
  ["a broadcast of a form without one", "62 f1 6c 58 14 08", "vunpcklps zmm1,zmm2,DWORD BCST [rax]"],
  ["W that the form does not have", "62 f1 ec 48 58 cb", "(bad)"],
  ["a truncated EVEX prefix", "62 f1 6c", "(bad)"],
  ["a reserved bit of EVEX", "62 f9 6c 48 58 cb", "(bad)"],
];

for (const [title, hex, expected, options] of CASES) {
  test(`decodes ${title}: ${hex}`, (t) => {
    const instruction = decoder.decode(bytesOf(hex), options);
    t.is(instruction === undefined ? "(bad)" : format(instruction), expected);
  });
}

test("NASM's spelling has rounding modes as operands and broadcasts behind brackets", (t) => {
  const spell = (hex: string) => format(decoder.decode(bytesOf(hex))!, { dialect: "nasm" });
  t.is(spell("62 f1 6c 78 58 cb"), "vaddps zmm1, zmm2, zmm3, {rz-sae}");
  t.is(spell("62 f1 6c 58 58 08"), "vaddps zmm1, zmm2, [rax]{1to16}");
  t.is(spell("62 f1 6c ca 58 cb"), "vaddps zmm1{k2}{z}, zmm2, zmm3");
});

test("the core decoder takes the vector extensions for no instructions", (t) => {
  t.is(new core.Decoder().decode(bytesOf("c5 f4 58 c2")), undefined);
});

test("no bytes make the vector decoder throw, and no instruction is longer than what is there", (t) => {
  let state = 7;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 255;
  };
  const leads = [
    [0xc5],
    [0xc4, 0xe1],
    [0xc4, 0xe2],
    [0x62, 0xf1],
    [0x62, 0xf2],
    [0x62, 0xf3],
    [0x8f, 0xe9],
    [],
  ];
  let decoded = 0;
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from([
      ...leads[i % leads.length]!,
      ...Array.from({ length: next() % 15 }, next),
    ]);
    for (const bits of [16, 32, 64] as const) {
      const instruction = decoder.decode(bytes, { bits });
      if (instruction === undefined) continue;
      decoded++;
      t.true(instruction.length <= Math.min(15, bytes.length));
      t.true(format(instruction).length > 0);
      t.true(format(instruction, { dialect: "nasm" }).length > 0);
    }
  }
  t.true(decoded > 1000);
});
