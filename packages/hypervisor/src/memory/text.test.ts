import test from "ava";
import fc from "fast-check";
import { decodeText, encodeText } from "./text.js";

const samples: [string, number[], string][] = [
  ["ASCII", [0x61, 0x62], "ab"],
  ["two, three and four bytes", [0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80], "é€😀"],
  ["a byte that starts nothing", [0x61, 0xff, 0x62], "a\udcffb"],
  ["a sequence that ends early", [0xe2, 0x82], "\udce2\udc82"],
  ["an overlong form", [0xc0, 0xaf], "\udcc0\udcaf"],
  ["an encoded surrogate", [0xed, 0xa0, 0x80], "\udced\udca0\udc80"],
  ["a byte order mark", [0xef, 0xbb, 0xbf, 0x61], "\ufeffa"],
];

for (const [title, bytes, text] of samples) {
  test(`decodeText: ${title} (PEP 383), and encodeText gives the bytes back`, (t) => {
    t.is(decodeText(Uint8Array.from(bytes)), text);
    t.deepEqual([...encodeText(text)], bytes);
  });
}

test("encodeText: gives every byte sequence back that decodeText took", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      t.deepEqual(encodeText(decodeText(bytes)), bytes);
    }),
  );
});
