/** All rows of the vector entry: AVX to AVX-512, AMX, XOP, FMA4, TBM, LWP. */
import type { Row } from "../../notation.js";
import { amx } from "./amx.js";
import { avx512 } from "./avx512.js";
import { convert } from "./convert.js";
import { vectorCrypto } from "./crypto.js";
import { float } from "./float.js";
import { fusedMultiplyAdd } from "./fma.js";
import { fp16 } from "./fp16.js";
import { integer } from "./integer.js";
import { mask } from "./mask.js";
import { permute } from "./permute.js";
import { xop } from "./xop.js";

/** Rows by the name of their family. */
export const vectorFamilies: Readonly<Record<string, readonly Row[]>> = {
  float,
  convert,
  integer,
  permute,
  mask,
  avx512,
  fma: fusedMultiplyAdd,
  fp16,
  crypto: vectorCrypto,
  amx,
  xop,
};

export const vectorRows: readonly Row[] = Object.values(vectorFamilies).flat();
