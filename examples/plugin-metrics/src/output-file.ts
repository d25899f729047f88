/** Writes the text whole or not at all, as the textfile collector wants it: a scrape may come at any time. */
import { renameSync, rmSync, writeFileSync } from "node:fs";

export function writeMetrics(file: string, text: string): void {
  // The collector reads *.prom, so the temporary name ends otherwise.
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
