import { readFileSync } from "node:fs";
import test from "ava";
import { allForms } from "../../forms.js";
import { SoftProcessor } from "./processors.js";
import { parseVectors, replays } from "./vectors.js";

const text = readFileSync(new URL("../../../testdata/vectors.txt", import.meta.url), "utf8");
const vectors = parseVectors(text);
const described = ({ bytes }: { bytes: readonly number[] }) =>
  bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");

for (const engine of ["typescript", "wasm"] as const) {
  test(`the ${engine} engine leaves behind what was recorded with /dev/kvm in agreement`, (t) => {
    const processor = new SoftProcessor({ engine });
    t.deepEqual(vectors.filter((vector) => !replays(processor, vector)).map(described), []);
  });
}

test("two recorded cases or more stand for each form on average", (t) => {
  t.true(vectors.length > 2 * allForms().filter(({ modes }) => modes & 4).length);
});
