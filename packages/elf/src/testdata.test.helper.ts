/** The binaries of `testdata/`; `testdata/build.sh` made them. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../testdata/", import.meta.url);

export function testdataPath(name: string): string {
  return fileURLToPath(new URL(name, FOLDER));
}

export function testdata(name: string): Uint8Array {
  return new Uint8Array(readFileSync(testdataPath(name)));
}

export function testdataBinaries(): string[] {
  return readdirSync(FOLDER).filter((name) => /^[^.]+$|[.](o|so)$/.test(name));
}
