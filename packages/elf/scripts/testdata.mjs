/** The binaries of `testdata/`, for tests and scripts; `testdata/build.sh` made them. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../testdata/", import.meta.url);

export function testdataPath(name) {
  return fileURLToPath(new URL(name, FOLDER));
}

/** The bytes of a file; not a Buffer, whose slice() shares memory. */
export function testdata(name) {
  return new Uint8Array(readFileSync(testdataPath(name)));
}

export function testdataBinaries() {
  return readdirSync(FOLDER)
    .filter((name) => /^[^.]+$|[.](o|so)$/.test(name))
    .sort();
}
