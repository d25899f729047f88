import { readFileSync } from "node:fs";
import test from "ava";
import { decode } from "../../decode.js";
import { allForms } from "../../forms.js";
import { EXCLUDED, NEVER_DECODED } from "./exclusions.js";
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

test("every mnemonic of 64-bit mode has a recorded case, or a reason why it has none", (t) => {
  const recorded = new Set(
    vectors.map(({ bytes }) => {
      const padded = Uint8Array.from({ length: 32 }, (_, n) => bytes[n] ?? 0xcc);
      const decoded = decode(padded, 0, 32, 8);
      return typeof decoded === "object" ? decoded.form.mnemonic : "";
    }),
  );
  const all = new Set(allForms().flatMap(({ modes, mnemonic }) => (modes & 4 ? [mnemonic] : [])));
  const hasReason = (mnemonic: string) => mnemonic in EXCLUDED || mnemonic in NEVER_DECODED;
  t.deepEqual(
    [...all].filter((mnemonic) => !recorded.has(mnemonic) && !hasReason(mnemonic)),
    [],
  );
});
