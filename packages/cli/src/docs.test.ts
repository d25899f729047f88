import { readFileSync } from "node:fs";
import test from "ava";
import { manifestReference } from "./config/reference.js";
import { errorReference } from "./error-reference.js";
import { ALL_ERRORS } from "./error-tables.js";

const page = (name: string) => readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), "utf8");

test("docs/manifest.md is what the schema says (node packages/cli/scripts/docs.mjs)", (t) => {
  t.is(page("manifest.md"), manifestReference());
});

test("docs/errors.md is what the packages' tables say (node packages/cli/scripts/docs.mjs)", (t) => {
  t.is(page("errors.md"), errorReference());
});

test("no two packages share an error code, and each code has a meaning and a remedy", (t) => {
  const codes = ALL_ERRORS.map(({ code }) => code);
  t.deepEqual(codes, [...new Set(codes)]);
  for (const { code, message, remedy } of ALL_ERRORS) t.true(message !== "" && remedy !== "", code);
});
