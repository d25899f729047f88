/** Writes docs/manifest.md and docs/errors.md from the schema and the packages' error tables. Run after a build. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { errorReference, manifestReference } from "../dist/tsc/documentation.js";
import { errorTables } from "./error-tables.mjs";

const docs = join(dirname(fileURLToPath(import.meta.url)), "../../../docs");
mkdirSync(docs, { recursive: true });
writeFileSync(join(docs, "manifest.md"), manifestReference());
writeFileSync(join(docs, "errors.md"), errorReference(errorTables));
