import test from "ava";
import { decode, Undecodable } from "./decode.js";

const REASONS: readonly unknown[] = Object.values(Undecodable);

for (const [mode, bits] of [
  [2, 16],
  [4, 32],
  [8, 64],
] as const) {
  test(`${bits}-bit code: whatever the first opcode bytes are, they are an instruction or a reason why not`, (t) => {
    const bytes = new Uint8Array(32).fill(0x24);
    const wrong: string[] = [];
    for (const opening of [[], [0x0f], [0x66, 0x0f], [0xf3, 0x0f], [0x0f, 0x38]]) {
      bytes.set(opening);
      for (let pair = 0; pair < 0x10000; pair++) {
        bytes[opening.length] = pair >> 8;
        bytes[opening.length + 1] = pair & 0xff;
        const decoded = decode(bytes, 0, bytes.length, mode);
        const isRight = typeof decoded === "object" ? decoded.length > 0 : REASONS.includes(decoded);
        if (!isRight) wrong.push([...opening, pair >> 8, pair & 0xff].join(" "));
      }
    }
    t.deepEqual(wrong, []);
  });
}

test('MOV to and from test registers is undefined (SDM Vol. 2D, "Opcode Map")', (t) => {
  for (const opcode of [0x24, 0x26]) {
    const bytes = Uint8Array.of(0x0f, opcode, 0xc0, 0x90);
    for (const mode of [2, 4, 8]) t.is(decode(bytes, 0, 4, mode), Undecodable.undefined);
  }
});
