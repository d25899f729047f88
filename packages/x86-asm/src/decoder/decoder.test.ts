import { readdirSync, readFileSync } from "node:fs";
import test from "ava";
import { assembleFlat } from "../assemble.js";
import { type DecodeOptions, Decoder, format } from "./index.js";

const decoder = new Decoder();
const folder = new URL("../../testdata/vectors/", import.meta.url);

function text(hex: string, options: DecodeOptions = {}): string {
  const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
  const instruction = decoder.decode(bytes, options);
  return instruction === undefined ? "(bad)" : `${format(instruction)} | ${instruction.length}`;
}

for (const name of readdirSync(folder)) {
  const bits = Number(name.split(".")[1]) as 16 | 32 | 64;
  test(`what is decoded from ${name} assembles to something that decodes alike, in both spellings`, (t) => {
    const lines = readFileSync(new URL(name, folder), "utf8").split("\n");
    for (const line of lines) {
      if (line === "" || line.startsWith("#")) continue;
      const bytes = Uint8Array.from(Buffer.from(line.split(" | ")[0]!.replaceAll(" ", ""), "hex"));
      const instruction = decoder.decode(bytes, { bits });
      if (instruction === undefined) return t.fail(line);
      for (const dialect of ["gas", "nasm"] as const) {
        const printed = format(instruction, { dialect });
        const again = assembleFlat(printed, { bits, dialect });
        const second = decoder.decode(again, { bits });
        t.is(second && format(second, { dialect }), printed, `${line} (${dialect})`);
      }
    }
  });
}

const CASES: readonly (readonly [title: string, hex: string, text: string, options?: DecodeOptions])[] = [
  ["a SIB byte with every part", "48 8b 44 8b f8", "mov rax,QWORD PTR [rbx+rcx*4-0x8] | 5"],
  ["RIP-relative memory", "48 8b 05 10 00 00 00", "mov rax,QWORD PTR [rip+0x10] | 7"],
  ["an absolute address", "8b 04 25 34 12 00 00", "mov eax,DWORD PTR ds:0x1234 | 7"],
  ["a segment override", "65 48 8b 04 25 60 00 00 00", "mov rax,QWORD PTR gs:0x60 | 9"],
  ["byte registers with and without REX", "40 88 e0", "mov al,spl | 3"],
  ["AH", "88 e0", "mov al,ah | 2"],
  ["a sign-extended immediate", "48 83 e0 f0", "and rax,0xfffffffffffffff0 | 4"],
  ["a branch target", "74 fe", "je 0xffffffff80100000 | 2", { address: 0xffffffff80100000n }],
  ["a branch that wraps at 16 bits", "eb 10", "jmp 0x2 | 2", { bits: 16, address: 0xfff0 }],
  ["a far pointer", "ea 34 12 08 00", "jmp 0x8:0x1234 | 5", { bits: 16 }],
  ["LOCK and REP", "f0 48 0f b1 37", "lock cmpxchg QWORD PTR [rdi],rsi | 5"],
  ["REP STOSQ", "f3 48 ab", "rep stos QWORD PTR es:[rdi],rax | 3"],
  ["NOP", "90", "nop | 1"],
  ["PAUSE", "f3 90", "pause | 2"],
  ["XCHG with R8D, which is no NOP", "41 90", "xchg r8d,eax | 2"],
  ["prefixes without a use", "66 2e 0f 1f 84 00 00 00 00 00", "cs nop WORD PTR [rax+rax*1+0x0] | 10"],
  ["16-bit addresses", "8b 42 10", "mov ax,WORD PTR [bp+si+0x10] | 3", { bits: 16 }],
  ["a VEX prefix of two bytes' worth in three", "c4 e2 78 f2 c1", "andn eax,eax,ecx | 5"],
  ["FWAIT as part of an x87 instruction", "9b d9 7d fe", "fstcw WORD PTR [rbp-0x2] | 4"],
  ["FWAIT before one that does not wait", "9b d8 c1", "fwait | 1"],
  ["REX before another prefix, which says nothing", "48 66 90", "rex.W | 1"],
  ["prefixes in the order of their bytes", "f3 2e 66 48 89 c3", "repz cs data16 mov rbx,rax | 6"],
  ["a REX bit without a use", "4f 01 c3", "rex.WRXB add r11,r8 | 3"],
  ["an encoding that no assembler writes", "0f 97 e9", "seta cl | 3"],
  ["a control register whatever ModRM.mod is", "0f 20 40", "mov rax,cr0 | 3"],
  ["an index register of 4 in SIB", "8b 04 a5 10 00 00 00", "mov eax,DWORD PTR [riz*4+0x10] | 7"],
  ["NOTRACK", "3e ff 27", "notrack jmp QWORD PTR [rdi] | 3"],
  ["XACQUIRE", "f2 f0 01 08", "xacquire lock add DWORD PTR [rax],ecx | 4"],
  ["SWAPGS", "0f 01 f8", "swapgs | 3"],
  ["a truncated instruction", "48 8b 05 10", "(bad)"],
  ["an opcode that is none", "0f ff", "(bad)"],
  ["more than 15 bytes", `${"66 ".repeat(15)}90`, "(bad)"],
  ["no bytes", "", "(bad)"],
];

for (const [title, hex, expected, options] of CASES) {
  test(`decodes ${title}: ${hex.slice(0, 30)}`, (t) => {
    t.is(text(hex, options), expected);
  });
}

test("names stand for addresses where the caller knows them", (t) => {
  const nameOf = (address: bigint) =>
    address === 0x107n ? "table" : address === 0x100n ? "loop" : undefined;
  const lea = decoder.decode(Uint8Array.of(0x48, 0x8d, 0x05, 0, 0, 0, 0), { address: 0x100 })!;
  t.is(format(lea, { nameOf }), "lea rax,[rip+table]");
  t.is(format(lea, { nameOf, dialect: "nasm" }), "lea rax, [rel table]");
  const jump = decoder.decode(Uint8Array.of(0xeb, 0xfe), { address: 0x100 })!;
  t.is(format(jump, { nameOf }), "jmp loop");
});

test("no bytes make the decoder throw, and no instruction is longer than what is there", (t) => {
  let state = 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 255;
  };
  let decoded = 0;
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from({ length: 1 + (next() % 16) }, next);
    for (const bits of [16, 32, 64] as const) {
      const instruction = decoder.decode(bytes, { bits });
      if (instruction === undefined) continue;
      decoded++;
      t.true(instruction.length <= Math.min(15, bytes.length));
      t.true(format(instruction).length > 0);
    }
  }
  t.true(decoded > 1000);
});
