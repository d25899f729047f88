/**
 * Relocation types by machine, in the notation of the psABIs: names in the order of their numbers, `=n` goes on
 * at n, `-` skips one.
 */
import { EM } from "./constants.js";

const TABLES: Readonly<Record<number, readonly [prefix: string, names: string]>> = {
  // psABI x86-64, "Relocation Types".
  [EM.EM_X86_64]: [
    "R_X86_64_",
    `NONE 64 PC32 GOT32 PLT32 COPY GLOB_DAT JUMP_SLOT RELATIVE GOTPCREL 32 32S 16 PC16 8 PC8 DTPMOD64 DTPOFF64
    TPOFF64 TLSGD TLSLD DTPOFF32 GOTTPOFF TPOFF32 PC64 GOTOFF64 GOTPC32 GOT64 GOTPCREL64 GOTPC64 GOTPLT64
    PLTOFF64 SIZE32 SIZE64 GOTPC32_TLSDESC TLSDESC_CALL TLSDESC IRELATIVE RELATIVE64 PC32_BND PLT32_BND
    GOTPCRELX REX_GOTPCRELX CODE_4_GOTPCRELX CODE_4_GOTTPOFF CODE_4_GOTPC32_TLSDESC =250 GNU_VTINHERIT
    GNU_VTENTRY`,
  ],
  // psABI i386, "Relocation Types".
  [EM.EM_386]: [
    "R_386_",
    `NONE 32 PC32 GOT32 PLT32 COPY GLOB_DAT JUMP_SLOT RELATIVE GOTOFF GOTPC 32PLT =14 TLS_TPOFF TLS_IE TLS_GOTIE
    TLS_LE TLS_GD TLS_LDM 16 PC16 8 PC8 TLS_GD_32 TLS_GD_PUSH TLS_GD_CALL TLS_GD_POP TLS_LDM_32 TLS_LDM_PUSH
    TLS_LDM_CALL TLS_LDM_POP TLS_LDO_32 TLS_IE_32 TLS_LE_32 TLS_DTPMOD32 TLS_DTPOFF32 TLS_TPOFF32 SIZE32
    TLS_GOTDESC TLS_DESC_CALL TLS_DESC IRELATIVE GOT32X =200 USED_BY_INTEL_200 =250 GNU_VTINHERIT GNU_VTENTRY`,
  ],
};

const parsed = /* @__PURE__ */ new Map<number, ReadonlyMap<number, string>>();

/** The names of a machine's relocation types by number; empty for a machine that is not listed. */
export function relocationTypes(machine: number): ReadonlyMap<number, string> {
  let names = parsed.get(machine);
  if (names === undefined) {
    names = parseNames(...(TABLES[machine] ?? ["", ""]));
    parsed.set(machine, names);
  }
  return names;
}

/** `"R_X86_64_PC32"` to 2; `undefined` if the machine has no such type. */
export function relocationTypeNumber(machine: number, name: string): number | undefined {
  for (const [number, known] of relocationTypes(machine)) if (known === name) return number;
  return undefined;
}

function parseNames(prefix: string, names: string): ReadonlyMap<number, string> {
  const byNumber = new Map<number, string>();
  let next = 0;
  for (const word of names.split(/\s+/)) {
    if (word.startsWith("=")) next = Number(word.slice(1));
    else if (word === "-") next++;
    else if (word !== "") byNumber.set(next++, prefix + word);
  }
  return byNumber;
}
