/** What only documentation and editors need. */
import { readFileSync } from "node:fs";
import type { ErrorRow } from "./errors.js";

export { manifestJsonSchema } from "./config/json-schema.js";
export { manifestReference } from "./config/reference.js";
export { errorReference } from "./error-reference.js";

/** Every error code of every package. The bundler writes the file, from the packages' own tables. */
export function allErrors(): ErrorRow[] {
  // Beside the bundle; where tsc's output runs, one folder above.
  const url = new URL(
    import.meta.url.includes("/tsc/") ? "../errors.json" : "./errors.json",
    import.meta.url,
  );
  const tables = JSON.parse(readFileSync(url, "utf8")) as Record<string, ErrorRow[]>;
  return Object.values(tables).flat();
}
