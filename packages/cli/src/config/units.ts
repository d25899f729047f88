/** Sizes, durations and addresses as people write them: the unit is always said, and binary sizes have binary names. */

const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Decimal names, and what people mean by them: both readings are printed, none is guessed. */
const AMBIGUOUS_SIZE_UNITS: Readonly<Record<string, string>> = {
  k: "KiB",
  kb: "KiB",
  m: "MiB",
  mb: "MiB",
  g: "GiB",
  gb: "GiB",
  t: "TiB",
  tb: "TiB",
};

export type UnitReading =
  | { readonly ok: true; readonly value: number }
  | {
      readonly ok: false;
      readonly code: "ERR_MANIFEST_UNIT" | "ERR_MANIFEST_VALUE";
      readonly message: string;
    };

const AMOUNT = /^([0-9][0-9_]*(?:\.[0-9]+)?)\s*([A-Za-zµ]*)$/;

/** Reads a size such as "64MiB" as a whole number of bytes. */
export function parseSize(text: string): UnitReading {
  const match = AMOUNT.exec(text.trim());
  if (match === null) return wrongValue(`not a size. Write for example "64MiB"`);
  const amount = Number(match[1]!.replaceAll("_", ""));
  const unit = match[2]!;
  const factor = ownValue(SIZE_UNITS, unit);
  if (factor === undefined) return wrongUnit(sizeUnitMessage(match[1]!, unit));
  const bytes = amount * factor;
  if (!Number.isSafeInteger(bytes)) return wrongValue(`not a whole number of bytes below 2^53`);
  return { ok: true, value: bytes };
}

/** Reads a duration such as "10s" or "1.5m" as milliseconds, at least one. */
export function parseDuration(text: string): UnitReading {
  const match = AMOUNT.exec(text.trim());
  if (match === null) return wrongValue(`not a duration. Write for example "10s"`);
  const amount = Number(match[1]!.replaceAll("_", ""));
  const unit = match[2]!;
  const factor = ownValue(DURATION_UNITS_MS, unit);
  if (factor === undefined) {
    const known = Object.keys(DURATION_UNITS_MS).join(", ");
    const said = unit === "" ? "no unit" : `unit ${unit} is not known`;
    return wrongUnit(`${said}. Units are ${known}: write for example "${match[1]}s"`);
  }
  const milliseconds = Math.round(amount * factor);
  if (milliseconds < 1) return wrongValue(`shorter than "1ms"`);
  if (milliseconds > LONGEST_MS) return wrongValue(`longer than a year; write "none" for no limit`);
  return { ok: true, value: milliseconds };
}

const LONGEST_MS = 366 * 24 * 3_600_000;

/** Reads an address such as "0xffffffff80000000": a 64-bit unsigned number in hexadecimal. */
export function parseAddress(text: string): bigint | undefined {
  if (!/^0x[0-9a-fA-F](?:_?[0-9a-fA-F])*$/.test(text)) return undefined;
  const digits = text
    .slice(2)
    .replaceAll("_", "")
    .replace(/^0+(?=.)/, "");
  return digits.length > 16 ? undefined : BigInt(`0x${digits}`);
}

/** "67,108,864 bytes": what a size comes to. */
export function inBytes(bytes: number): string {
  return `${bytes.toLocaleString("en-US")} ${bytes === 1 ? "byte" : "bytes"}`;
}

/** The shortest exact way to write a size: 67108864 is "64MiB". */
export function formatSize(bytes: number): string {
  const fitting = Object.entries(SIZE_UNITS).filter(([, factor]) => bytes >= factor && bytes % factor === 0);
  const [unit, factor] = fitting.at(-1) ?? ["B", 1];
  return `${bytes / factor}${unit}`;
}

/** The shortest exact way to write a duration: 1500 is "1500ms", 60000 is "1m". */
export function formatDuration(milliseconds: number): string {
  const fitting = Object.entries(DURATION_UNITS_MS).filter(
    ([, factor]) => milliseconds >= factor && milliseconds % factor === 0,
  );
  const [unit, factor] = fitting.at(-1) ?? ["ms", 1];
  return `${milliseconds / factor}${unit}`;
}

function sizeUnitMessage(amount: string, unit: string): string {
  const number = Number(amount.replaceAll("_", ""));
  if (unit === "") return `no unit. ${suggestion(number, "MiB")}, or ${suggestion(number, "B", "")}`;
  const caseFixed = Object.keys(SIZE_UNITS).find((known) => known.toLowerCase() === unit.toLowerCase());
  if (caseFixed !== undefined) return `unit ${unit} is not known. ${suggestion(number, caseFixed)}`;
  const meant = ownValue(AMBIGUOUS_SIZE_UNITS, unit.toLowerCase());
  if (meant === undefined) {
    return `unit ${unit} is not known. Units are ${Object.keys(SIZE_UNITS).join(", ")}`;
  }
  const decimal = number * 1000 ** (Object.keys(SIZE_UNITS).indexOf(meant) || 1);
  return Number.isSafeInteger(decimal)
    ? `unit ${unit} is not known. ${suggestion(number, meant)}, or ${suggestion(decimal, "B", "")}`
    : `unit ${unit} is not known. ${suggestion(number, meant)}`;
}

function suggestion(number: number, unit: string, verb = "Write "): string {
  return `${verb}"${number}${unit}" (${inBytes(number * SIZE_UNITS[unit]!)})`;
}

/** A table lookup that a key such as "constructor" does not fool. */
function ownValue<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function wrongUnit(message: string): UnitReading {
  return { ok: false, code: "ERR_MANIFEST_UNIT", message };
}

function wrongValue(message: string): UnitReading {
  return { ok: false, code: "ERR_MANIFEST_VALUE", message };
}
