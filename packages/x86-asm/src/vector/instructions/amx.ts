/** SDM Vol. 1, "Intel AMX Instructions". */
import type { Row } from "../../notation.js";

/** Dot products of tiles: prefix and opcode. */
const PRODUCTS: readonly (readonly [mnemonic: string, prefix: string, opcode: string, feature: string])[] = [
  ["tdpbssd", "F2", "5E", "AMX_INT8"],
  ["tdpbsud", "F3", "5E", "AMX_INT8"],
  ["tdpbusd", "66", "5E", "AMX_INT8"],
  ["tdpbuud", "NP", "5E", "AMX_INT8"],
  ["tdpbf16ps", "F3", "5C", "AMX_BF16"],
  ["tdpfp16ps", "F2", "5C", "AMX_FP16"],
];

export const amx: readonly Row[] = [
  ["ldtilecfg m512", "VEX.128.NP.0F38.W0 49 /0", "AMX_TILE 64"],
  ["sttilecfg m512", "VEX.128.66.0F38.W0 49 /0", "AMX_TILE 64"],
  ["tileloadd tmm, m", "VEX.128.F2.0F38.W0 4B /r", "AMX_TILE 64 sib"],
  ["tileloaddt1 tmm, m", "VEX.128.66.0F38.W0 4B /r", "AMX_TILE 64 sib"],
  ["tilestored m, tmm", "VEX.128.F3.0F38.W0 4B /r", "AMX_TILE 64 sib"],
  ["tilerelease", "VEX.128.NP.0F38.W0 49 C0", "AMX_TILE 64"],
  ["tilezero tmm", "VEX.128.F2.0F38.W0 49 11:rrr:000", "AMX_TILE 64 R"],
  ...PRODUCTS.map(
    ([mnemonic, prefix, opcode, feature]): Row => [
      `${mnemonic} tmm, tmm, tmm`,
      `VEX.128.${prefix}.0F38.W0 ${opcode} /r`,
      `${feature} 64 RMV`,
    ],
  ),
];
