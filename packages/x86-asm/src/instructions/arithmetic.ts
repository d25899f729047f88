/** SDM Vol. 1, "Binary Arithmetic Instructions", "Decimal Arithmetic Instructions", "Logical Instructions". */
import type { Row } from "../notation.js";
import { opcode } from "./conditions.js";

/** ADD to CMP: the digit in 80, 81 and 83, and bits 5:3 of the other opcodes. */
const GROUP_1 = ["add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"];

function group1(mnemonic: string, digit: number): Row[] {
  const lock = mnemonic === "cmp" ? "8086" : "8086 lock";
  const at = (offset: number) => opcode(digit * 8, offset);
  return [
    [`${mnemonic} r/m8, r8`, `${at(0)} /r`, lock],
    [`${mnemonic} r/mv, rv`, `ov ${at(1)} /r`, lock],
    [`${mnemonic} r8, r/m8`, `${at(2)} /r`, "8086"],
    [`${mnemonic} rv, r/mv`, `ov ${at(3)} /r`, "8086"],
    [`${mnemonic} r/mv, simm8`, `ov 83 /${digit} ib`, lock],
    [`${mnemonic} al, imm8`, `${at(4)} ib`, "8086"],
    [`${mnemonic} rAX, immz`, `ov ${at(5)} iz`, "8086"],
    [`${mnemonic} r/m8, imm8`, `80 /${digit} ib`, lock],
    [`${mnemonic} r/mv, immz`, `ov 81 /${digit} iz`, lock],
  ];
}

/** NOT to IDIV: the digit in F6 and F7. */
function unary(mnemonic: string, digit: number, attributes: string): Row[] {
  return [
    [`${mnemonic} r/m8`, `F6 /${digit}`, attributes],
    [`${mnemonic} r/mv`, `ov F7 /${digit}`, attributes],
  ];
}

/** Remote atomic operations. */
const RAO = [
  ["aadd", "NP"],
  ["aand", "66"],
  ["aor", "F2"],
  ["axor", "F3"],
] as const;

export const arithmetic: readonly Row[] = [
  ...GROUP_1.flatMap(group1),

  ["inc rv", "oz 40+r", "8086 !64"],
  ["inc r/m8", "FE /0", "8086 lock"],
  ["inc r/mv", "ov FF /0", "8086 lock"],
  ["dec rv", "oz 48+r", "8086 !64"],
  ["dec r/m8", "FE /1", "8086 lock"],
  ["dec r/mv", "ov FF /1", "8086 lock"],

  ...unary("not", 2, "8086 lock"),
  ...unary("neg", 3, "8086 lock"),
  ...unary("mul", 4, "8086"),
  ...unary("imul", 5, "8086"),
  ["imul rv, r/mv", "ov 0F AF /r", "386"],
  ["imul rv, r/mv, simm8", "ov 6B /r ib", "186"],
  ["imul rv, r/mv, immz", "ov 69 /r iz", "186"],
  ["imul rv, simm8", "ov 6B /r ib", "186 BI"],
  ["imul rv, immz", "ov 69 /r iz", "186 BI"],
  ...unary("div", 6, "8086"),
  ...unary("idiv", 7, "8086"),

  ["daa", "27", "8086 !64"],
  ["das", "2F", "8086 !64"],
  ["aaa", "37", "8086 !64"],
  ["aas", "3F", "8086 !64"],
  ["aam", "D4 0A", "8086 !64 alias"],
  ["aam imm8", "D4 ib", "8086 !64"],
  ["aad", "D5 0A", "8086 !64 alias"],
  ["aad imm8", "D5 ib", "8086 !64"],

  ["adcx r32, r/m32", "66 0F 38 F6 /r", "ADX"],
  ["adcx r64, r/m64", "66 o64 0F 38 F6 /r", "ADX"],
  ["adox r32, r/m32", "F3 0F 38 F6 /r", "ADX"],
  ["adox r64, r/m64", "F3 o64 0F 38 F6 /r", "ADX"],
  ...RAO.flatMap(([mnemonic, prefix]): Row[] => [
    [`${mnemonic} m32, r32`, `${prefix} 0F 38 FC /r`, "RAO_INT"],
    [`${mnemonic} m64, r64`, `${prefix} o64 0F 38 FC /r`, "RAO_INT"],
  ]),
];
