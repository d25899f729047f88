/** Registers of the vector extensions: YMM, ZMM, XMM16 to XMM31, opmasks, tiles. */
import { Register, RexNeed } from "../registers.js";

function numbered<File extends "xmm" | "ymm" | "zmm" | "k" | "tmm">(file: File, from: number, to: number) {
  return Array.from({ length: to - from }, (_, i) => {
    const number = from + i;
    return new Register(file, `${file}${number}`, number, number > 15 ? RexNeed.evex : RexNeed.none);
  });
}

/** XMM16 to XMM31. */
export const highXmm: readonly Register<"xmm">[] = numbered("xmm", 16, 32);
export const ymm: readonly Register<"ymm">[] = numbered("ymm", 0, 32);
export const zmm: readonly Register<"zmm">[] = numbered("zmm", 0, 32);
export const k: readonly Register<"k">[] = numbered("k", 0, 8);
export const tmm: readonly Register<"tmm">[] = numbered("tmm", 0, 8);

export const vectorRegisters: readonly Register[] = [...highXmm, ...ymm, ...zmm, ...k, ...tmm];
