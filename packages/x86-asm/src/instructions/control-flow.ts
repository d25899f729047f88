/** SDM Vol. 1, "Control Transfer Instructions", "Enter and Leave Instructions", "Flag Control". */
import type { Row } from "../notation.js";
import { CONDITIONS, opcode } from "./conditions.js";

function counted(mnemonic: string, code: string): Row[] {
  return [[`${mnemonic} rel8`, `${code} cb`, "8086"]];
}

export const controlFlow: readonly Row[] = [
  ["jmp rel8", "EB cb", "8086 short bnd"],
  ["jmp rel16", "o16 E9 cw", "8086 !64 bnd"],
  ["jmp rel32", "o32 E9 cd", "386 !64 bnd"],
  ["jmp rel32", "E9 cd", "X64 64 bnd"],
  ["jmp r/m64", "FF /4", "X64 64 default bnd notrack"],
  ["jmp r/m16", "o16 FF /4", "8086 bnd notrack"],
  ["jmp r/m32", "o32 FF /4", "386 !64 bnd notrack"],
  ["jmp ptr16:16", "o16 EA cp16", "8086 !64"],
  ["jmp ptr16:32", "o32 EA cp32", "386 !64"],
  ["jmp m16:32", "o32 FF /5", "386"],
  ["jmp m16:64", "o64 FF /5", "X64"],

  ["call rel16", "o16 E8 cw", "8086 !64 bnd"],
  ["call rel32", "o32 E8 cd", "386 !64 bnd"],
  ["call rel32", "E8 cd", "X64 64 bnd"],
  ["call r/m64", "FF /2", "X64 64 default bnd notrack"],
  ["call r/m16", "o16 FF /2", "8086 bnd notrack"],
  ["call r/m32", "o32 FF /2", "386 !64 bnd notrack"],
  ["call ptr16:16", "o16 9A cp16", "8086 !64"],
  ["call ptr16:32", "o32 9A cp32", "386 !64"],
  ["call m16:32", "o32 FF /3", "386"],
  ["call m16:64", "o64 FF /3", "X64"],

  ...CONDITIONS.flatMap((names, code) =>
    names.flatMap((name): Row[] => [
      [`j${name} rel8`, `${opcode(0x70, code)} cb`, "8086 short bnd"],
      [`j${name} rel16`, `o16 0F ${opcode(0x80, code)} cw`, "386 !64 bnd"],
      [`j${name} rel32`, `o32 0F ${opcode(0x80, code)} cd`, "386 !64 bnd"],
      [`j${name} rel32`, `0F ${opcode(0x80, code)} cd`, "X64 64 bnd"],
    ]),
  ),
  ...counted("jcxz", "a16 E3"),
  ...counted("jecxz", "a32 E3"),
  ...counted("jrcxz", "a64 E3"),
  ...counted("loop", "E2"),
  ...counted("loope", "E1"),
  ...counted("loopz", "E1"),
  ...counted("loopne", "E0"),
  ...counted("loopnz", "E0"),

  ["ret", "C3", "8086 bnd rep"],
  ["ret imm16", "C2 iw", "8086 bnd rep"],
  ["retw", "o16 C3", "8086 bnd"],
  ["retw imm16", "o16 C2 iw", "8086 bnd"],
  ["retf", "CB", "8086"],
  ["retf imm16", "CA iw", "8086"],
  ["retfw", "o16 CB", "8086"],
  ["retfw imm16", "o16 CA iw", "8086"],
  ["retfd", "o32 CB", "386"],
  ["retfd imm16", "o32 CA iw", "386"],
  ["retfq", "o64 CB", "X64"],
  ["retfq imm16", "o64 CA iw", "X64"],

  ["int3", "CC", "8086"],
  ["int imm8", "CD ib", "8086"],
  ["into", "CE", "8086 !64"],
  ["int1", "F1", "386"],
  ["iret", "CF", "8086"],
  ["iretw", "o16 CF", "8086"],
  ["iretd", "o32 CF", "386"],
  ["iretq", "o64 CF", "X64"],
  ["bound r16, m16&32", "o16 62 /r", "186 !64"],
  ["bound r32, m16&64", "o32 62 /r", "386 !64"],

  ["clc", "F8", "8086"],
  ["stc", "F9", "8086"],
  ["cmc", "F5", "8086"],
  ["cld", "FC", "8086"],
  ["std", "FD", "8086"],
  ["nop", "90", "8086"],
  ["nop r/mv", "ov 0F 1F /0", "686"],
  ["pause", "F3 90", "SSE2"],
  ["ud2", "0F 0B", "686"],
  ["ud1 rv, r/mv", "ov 0F B9 /r", "686"],
  ["ud0 rv, r/mv", "ov 0F FF /r", "686"],
  ["endbr64", "F3 0F 1E FA", "CET_IBT"],
  ["endbr32", "F3 0F 1E FB", "CET_IBT"],
];
