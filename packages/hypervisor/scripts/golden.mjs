#!/usr/bin/env node
/** Writes testdata/codegen anew from what the generators make now; read the difference before committing it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generatedFiles } from "../dist/internal-testing/generated-files.js";

const folder = fileURLToPath(new URL("../testdata/codegen", import.meta.url));
for (const [name, text] of Object.entries(generatedFiles())) writeFileSync(join(folder, name), text);
