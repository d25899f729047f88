/**
 * Writes what is derived from the tables: native/ioctl_table.h, native/abi_asserts.c and REFERENCE.md.
 * Run after `tsc -b`; a test fails when the files differ from the tables.
 */
import { writeFileSync } from "node:fs";
import { generated } from "../dist/generate/files.js";

for (const [path, text] of Object.entries(generated()))
  writeFileSync(new URL(`../${path}`, import.meta.url), text);
