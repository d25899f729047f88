/** The union of some bits: `bits(CR0.PE, CR0.PG)`. */
export function bits(...flags: readonly bigint[]): bigint {
  return flags.reduce((all, flag) => all | flag, 0n);
}
