/** VAES, VPCLMULQDQ and GFNI on vectors (SDM Vol. 1, "AESNI and PCLMULQDQ"). */
import { opcode } from "../../instructions/conditions.js";
import type { Row } from "../../notation.js";

const AES: readonly (readonly [mnemonic: string, opcode: string])[] = [
  ["vaesenc", "DC"],
  ["vaesenclast", "DD"],
  ["vaesdec", "DE"],
  ["vaesdeclast", "DF"],
];

/** Which halves are multiplied, by immediate. */
const HALVES: readonly (readonly [name: string, immediate: number])[] = [
  ["lqlq", 0x00],
  ["hqlq", 0x01],
  ["lqhq", 0x10],
  ["hqhq", 0x11],
];

export const vectorCrypto: readonly Row[] = [
  ["vaesimc xmm, xmm/m128", "VEX.128.66.0F38.WIG DB /r", "AES"],
  ["vaeskeygenassist xmm, xmm/m128, imm8", "VEX.128.66.0F3A.WIG DF /r ib", "AES"],
  ...AES.flatMap(([mnemonic, code]): Row[] => [
    [`${mnemonic} v, v, v/mv`, `VEX.xy.66.0F38.WIG ${code} /r`, "VAES"],
    [`${mnemonic} v, v, v/mv`, `EVEX.xyz.66.0F38.WIG ${code} /r`, "VAES"],
  ]),
  ...HALVES.flatMap(([name, immediate]): Row[] => [
    [`vpclmul${name}dq v, v, v/mv`, `VEX.xy.66.0F3A.WIG 44 /r ${opcode(0, immediate)}`, "VPCLMULQDQ"],
    [`vpclmul${name}dq v, v, v/mv`, `EVEX.xyz.66.0F3A.WIG 44 /r ${opcode(0, immediate)}`, "VPCLMULQDQ"],
  ]),
  ["vpclmulqdq v, v, v/mv, imm8", "VEX.xy.66.0F3A.WIG 44 /r ib", "VPCLMULQDQ"],
  ["vpclmulqdq v, v, v/mv, imm8", "EVEX.xyz.66.0F3A.WIG 44 /r ib", "VPCLMULQDQ"],
  ["vgf2p8mulb v, v, v/mv", "VEX.xy.66.0F38.W0 CF /r", "GFNI"],
  ["vgf2p8mulb v{kz}, v, v/mv", "EVEX.xyz.66.0F38.W0 CF /r", "GFNI"],
  ["vgf2p8affineqb v, v, v/mv, imm8", "VEX.xy.66.0F3A.W1 CE /r ib", "GFNI"],
  ["vgf2p8affineqb v{kz}, v, v/mv/b64, imm8", "EVEX.xyz.66.0F3A.W1 CE /r ib", "GFNI"],
  ["vgf2p8affineinvqb v, v, v/mv, imm8", "VEX.xy.66.0F3A.W1 CF /r ib", "GFNI"],
  ["vgf2p8affineinvqb v{kz}, v, v/mv/b64, imm8", "EVEX.xyz.66.0F3A.W1 CF /r ib", "GFNI"],
];
