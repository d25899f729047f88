/** Checks of the built-in plugins' options. What they throw names the option, what it is and what is allowed. */

export type Fields = Readonly<Record<string, unknown>>;

/** The options as an object with no other keys than `known`. */
export function checkedFields(options: unknown, known: readonly string[]): Fields {
  if (options === undefined) return {};
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(`options is ${JSON.stringify(options)}, allowed: an object`);
  }
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return options as Fields;
  throw new TypeError(`unknown option ${unknown}, allowed: ${known.join(", ") || "none"}`);
}

/** An integer from `least` to `most`. */
export function integerOption(
  fields: Fields,
  name: string,
  fallback: number,
  least: number,
  most: number,
): number {
  const value = fields[name];
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most)
    return value as number;
  throw new TypeError(`${name} is ${String(value)}, allowed: integers from ${least} to ${most}`);
}
