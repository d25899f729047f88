/** Row builders for what has a VEX form, an EVEX form, or both, with the same operands. */
import type { Row } from "../../notation.js";

/** What one mnemonic has: prefix and map, opcode, EVEX.W and broadcast element, features of the two forms. */
export interface Pair {
  readonly mnemonic: string;
  /** `66.0F` */
  readonly map: string;
  readonly opcode: string;
  /** Of the EVEX form; WIG has no broadcast. */
  readonly w: "W0" | "W1" | "WIG";
  /** Element of the broadcast in bits, if there is one. */
  readonly element?: 16 | 32 | 64;
  /** Absent: there is no VEX form. */
  readonly vex?: string;
  /** VEX.W, WIG if not given. */
  readonly vexW?: string;
  /** Absent: there is no EVEX form. */
  readonly evex?: string;
  /** `{er}` or `{sae}` */
  readonly rounding?: string;
}

function memory(element: number | undefined): string {
  return element === undefined ? "v/mv" : `v/mv/b${element}`;
}

/** `v, v, v/mv`. */
export function ternary(pair: Pair, immediate = ""): Row[] {
  const { mnemonic, map, opcode, w, element, rounding = "" } = pair;
  const tail = immediate === "" ? "" : ", imm8";
  return rows(
    pair,
    `${mnemonic} v, v, v/mv${tail}`,
    `${mnemonic} v{kz}, v, ${memory(element)}${rounding}${tail}`,
    {
      map,
      code: `${opcode} /r${immediate}`,
      w,
    },
  );
}

/** `v, v/mv`. */
export function binary(pair: Pair, immediate = ""): Row[] {
  const { mnemonic, map, opcode, w, element, rounding = "" } = pair;
  const tail = immediate === "" ? "" : ", imm8";
  return rows(pair, `${mnemonic} v, v/mv${tail}`, `${mnemonic} v{kz}, ${memory(element)}${rounding}${tail}`, {
    map,
    code: `${opcode} /r${immediate}`,
    w,
  });
}

/** Both forms of an instruction with given operands. */
export function rows(
  { vex, vexW = "WIG", evex }: Pick<Pair, "vex" | "vexW" | "evex">,
  vexInstruction: string,
  evexInstruction: string,
  { map, code, w }: { map: string; code: string; w: string },
): Row[] {
  const result: Row[] = [];
  if (vex !== undefined) result.push([vexInstruction, `VEX.xy.${map}.${vexW} ${code}`, vex]);
  if (evex !== undefined) result.push([evexInstruction, `EVEX.xyz.${map}.${w} ${code}`, evex]);
  return result;
}

/** Scalars: `xmm, xmm, xmm/m`, with both forms. */
export function scalar(
  mnemonic: string,
  map: string,
  opcode: string,
  width: number,
  {
    vex,
    evex,
    rounding = "",
    immediate = "",
  }: { vex?: string; evex?: string; rounding?: string; immediate?: string },
): Row[] {
  const tail = immediate === "" ? "" : ", imm8";
  const w = width === 64 ? "W1" : "W0";
  const result: Row[] = [];
  if (vex !== undefined) {
    result.push([
      `${mnemonic} xmm, xmm, xmm/m${width}${tail}`,
      `VEX.LIG.${map}.WIG ${opcode} /r${immediate}`,
      vex,
    ]);
  }
  if (evex !== undefined) {
    result.push([
      `${mnemonic} xmm{kz}, xmm, xmm/m${width}${rounding}${tail}`,
      `EVEX.LIG.${map}.${w} ${opcode} /r${immediate}`,
      evex,
    ]);
  }
  return result;
}

/** One row for 32-bit elements with W0 and one for 64-bit elements with W1. */
export function dq(
  names: readonly [string, string],
  map: string,
  opcode: string,
  feature: string,
  vex: string | undefined = undefined,
  rounding = "",
  immediate = "",
): Row[] {
  return [
    ...ternary(
      {
        mnemonic: names[0],
        map,
        opcode,
        w: "W0",
        element: 32,
        evex: feature,
        vexW: "W0",
        rounding,
        ...(vex ? { vex } : {}),
      },
      immediate,
    ),
    ...ternary(
      {
        mnemonic: names[1],
        map,
        opcode,
        w: "W1",
        element: 64,
        evex: feature,
        vexW: "W1",
        rounding,
        ...(vex ? { vex } : {}),
      },
      immediate,
    ),
  ];
}
