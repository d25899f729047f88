/** SDM Vol. 1, "Control Transfer Instructions", "Enter and Leave Instructions", "Flag Control". */
import type { Row } from "../notation.js";
import { CONDITIONS, opcode } from "./conditions.js";

function counted(mnemonic: string, code: string, attributes = "8086"): Row[] {
  return [[`${mnemonic} rel8`, `${code} cb`, attributes]];
}

export const controlFlow: readonly Row[] = [
  ["jmp rel8", "EB cb", "8086 short bnd"],
  ["jmp rel16", "E9 cw", "8086 16 bnd"],
  ["jmp rel32", "E9 cd", "386 32 bnd"],
  ["jmp rel32", "E9 cd", "X64 64 bnd"],
  ["jmp m16:16", "FF /5", "8086 16"],
  ["jmp r/m64", "FF /4", "X64 64 default bnd notrack"],
  ["jmp r/m16", "o16 FF /4", "8086 bnd notrack"],
  ["jmp r/m32", "o32 FF /4", "386 !64 bnd notrack"],
  ["jmp ptr16:16", "EA cp16", "8086 16"],
  ["jmp ptr16:32", "EA cp32", "386 32"],
  ["jmp ptr16:32", "o32 EA cp32", "386 16"],
  ["jmp ptr16:16", "o16 EA cp16", "386 32"],
  ["jmp m16:32", "o32 FF /5", "386"],

  ["jmp m16:16", "o16 FF /5", "8086"],

  ["jmpw rel16", "o16 E9 cw", "8086 bnd =jmp"],
  ["jmpw ptr16:16", "o16 EA cp16", "8086 !64 =jmp"],
  ["jmpd rel32", "o32 E9 cd", "386 !64 bnd =jmp"],
  ["jmpd ptr16:32", "o32 EA cp32", "386 !64 =jmp"],

  ["call rel16", "E8 cw", "8086 16 bnd"],
  ["call rel32", "E8 cd", "386 32 bnd"],
  ["call rel32", "E8 cd", "X64 64 bnd"],
  ["call m16:16", "FF /3", "8086 16"],
  ["call r/m64", "FF /2", "X64 64 default bnd notrack"],
  ["call r/m16", "o16 FF /2", "8086 bnd notrack"],
  ["call r/m32", "o32 FF /2", "386 !64 bnd notrack"],
  ["call ptr16:16", "9A cp16", "8086 16"],
  ["call ptr16:32", "9A cp32", "386 32"],
  ["call ptr16:32", "o32 9A cp32", "386 16"],
  ["call ptr16:16", "o16 9A cp16", "386 32"],
  ["call m16:32", "o32 FF /3", "386"],
  ["call m16:16", "o16 FF /3", "8086"],

  ["callw rel16", "o16 E8 cw", "8086 bnd =call"],
  ["callw ptr16:16", "o16 9A cp16", "8086 !64 =call"],
  ["calld rel32", "o32 E8 cd", "386 !64 bnd =call"],
  ["calld ptr16:32", "o32 9A cp32", "386 !64 =call"],

  ["ljmp m16:32", "o32 FF /5", "386 !16 default =jmp"],
  ["ljmp m16:16", "o16 FF /5", "8086 default =jmp"],
  ["ljmp m16:32", "o32 FF /5", "386 =jmp"],
  ["ljmp m16:64", "o64 FF /5", "X64 =jmp"],
  ["lcall m16:32", "o32 FF /3", "386 !16 default =call"],
  ["lcall m16:16", "o16 FF /3", "8086 default =call"],
  ["lcall m16:32", "o32 FF /3", "386 =call"],
  ["lcall m16:64", "o64 FF /3", "X64 =call"],

  ...CONDITIONS.flatMap((names, code) =>
    names.flatMap((name, i): Row[] => {
      const alias = i === 0 ? "" : " alias";
      return [
        [`j${name} rel8`, `${opcode(0x70, code)} cb`, `8086 short bnd${alias}`],
        [`j${name} rel16`, `0F ${opcode(0x80, code)} cw`, `386 16 bnd${alias}`],
        [`j${name} rel32`, `0F ${opcode(0x80, code)} cd`, `386 32 bnd${alias}`],
        [`j${name} rel32`, `0F ${opcode(0x80, code)} cd`, `X64 64 bnd${alias}`],
      ];
    }),
  ),
  ...counted("jcxz", "a16 E3"),
  ...counted("jecxz", "a32 E3"),
  ...counted("jrcxz", "a64 E3"),
  ...counted("loop", "E2"),
  ...counted("loope", "E1"),
  ...counted("loopz", "E1", "8086 alias"),
  ...counted("loopne", "E0"),
  ...counted("loopnz", "E0", "8086 alias"),

  ["ret", "C3", "8086 bnd rep"],
  ["ret imm16", "C2 iw", "8086 bnd rep"],
  ["retw", "o16 C3", "8086 bnd rep"],
  ["retw imm16", "o16 C2 iw", "8086 bnd rep"],
  ["retd", "o32 C3", "386 !64 bnd rep =ret"],
  ["retd imm16", "o32 C2 iw", "386 !64 bnd rep =ret"],
  ["retq", "C3", "X64 64 bnd rep =ret alias"],
  ["retq imm16", "C2 iw", "X64 64 bnd rep =ret alias"],
  ["retf", "CB", "8086"],
  ["retf imm16", "CA iw", "8086"],
  ["retfw", "o16 CB", "8086"],
  ["retfw imm16", "o16 CA iw", "8086"],
  ["retfd", "o32 CB", "386"],
  ["retfd imm16", "o32 CA iw", "386"],
  ["retfq", "o64 CB", "X64"],
  ["retfq imm16", "o64 CA iw", "X64"],

  ["int3", "CC", "8086"],
  ["int 3", "CC", "8086 alias"],
  ["int imm8", "CD ib", "8086"],
  ["into", "CE", "8086 !64"],
  ["int1", "F1", "386"],
  ["iret", "CF", "8086"],
  ["iretw", "o16 CF", "8086"],
  ["iretd", "o32 CF", "386"],
  ["iretq", "o64 CF", "X64"],
  ["bound r16, m32", "o16 62 /r", "186 !64"],
  ["bound r32, m64", "o32 62 /r", "386 !64"],

  ["clc", "F8", "8086"],
  ["stc", "F9", "8086"],
  ["cmc", "F5", "8086"],
  ["cld", "FC", "8086"],
  ["std", "FD", "8086"],
  ["nop", "90", "8086 rep"],
  ["nop r/mv", "ov 0F 1F /0", "686 rep"],
  ["pause", "F3 90", "SSE2"],
  ["ud2", "0F 0B", "686"],
  ["ud2a", "0F 0B", "686 =ud2 alias"],
  ["ud1 rv, r/mv", "ov 0F B9 /r", "686"],
  ["ud2b rv, r/mv", "ov 0F B9 /r", "686 =ud1 alias"],
  ["ud0 rv, r/mv", "ov 0F FF /r", "686"],
  ["endbr64", "F3 0F 1E FA", "CET_IBT"],
  ["endbr32", "F3 0F 1E FB", "CET_IBT"],
];
