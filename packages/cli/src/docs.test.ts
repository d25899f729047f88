import { readFileSync } from "node:fs";
import test from "ava";
import { allErrors, errorReference, manifestReference } from "./documentation.js";
import type { ErrorTables } from "./error-reference.js";

const scripts = new URL("../../scripts/error-tables.mjs", import.meta.url).href;
const { errorTables } = (await import(scripts)) as { errorTables: ErrorTables };

const page = (name: string) => readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), "utf8");

test("docs/manifest.md is what the schema says (node packages/cli/scripts/docs.mjs)", (t) => {
  t.is(page("manifest.md"), manifestReference());
});

test("docs/errors.md is what the packages' tables say (node packages/cli/scripts/docs.mjs)", (t) => {
  t.is(page("errors.md"), errorReference(errorTables));
});

test("no two packages share an error code, and each code has a meaning and a remedy", (t) => {
  const rows = allErrors();
  t.deepEqual(rows, Object.values(errorTables).flat() as never);
  const codes = rows.map(({ code }) => code);
  t.deepEqual(codes, [...new Set(codes)]);
  for (const { code, message, remedy } of rows) t.true(message !== "" && remedy !== "", code);
});
