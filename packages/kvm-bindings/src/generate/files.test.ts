import { readFileSync } from "node:fs";
import test from "ava";
import { generated } from "./files.js";

for (const [path, text] of Object.entries(generated()))
  test(`${path} is what the tables give (npm run generate)`, (t) => {
    t.is(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"), text);
  });
