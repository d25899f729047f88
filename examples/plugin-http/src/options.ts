/** What a manifest may say about HTTP. */

export interface HttpOptions {
  /** URLs; a request may go to any URL that begins with one of them, compared part by part. */
  readonly allow: readonly string[];
  /** For a request with all its redirects. */
  readonly timeoutMs: number;
  readonly maxRedirects: number;
  /** Requests in one run. */
  readonly maxRequests: number;
}

const NUMBERS = {
  timeoutMs: { standard: 10_000, max: 600_000 },
  maxRedirects: { standard: 5, max: 20 },
  maxRequests: { standard: 100_000, max: Number.MAX_SAFE_INTEGER },
} as const;

export function checkOptions(given: unknown): HttpOptions {
  const { allow, ...others } = (given ?? {}) as Record<string, unknown>;
  const unknown = Object.keys(others).find((name) => !Object.hasOwn(NUMBERS, name));
  if (unknown !== undefined) {
    throw new Error(`unknown option ${unknown}; there are allow, ${Object.keys(NUMBERS).join(", ")}`);
  }
  if (!Array.isArray(allow) || allow.length === 0 || !allow.every((entry) => typeof entry === "string")) {
    throw new Error('allow must be a list of URLs, such as ["https://api.example.com/v1/"]');
  }
  const numbers = Object.entries(NUMBERS).map(([name, { standard, max }]) => {
    const value = others[name] ?? standard;
    if (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= max) return [name, value];
    throw new Error(`${name} must be a whole number from 0 to ${max}`);
  });
  return { allow, ...Object.fromEntries(numbers) };
}
