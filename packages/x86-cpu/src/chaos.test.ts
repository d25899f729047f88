import { createHash } from "node:crypto";
import test from "ava";
import { Random } from "./scripts/differential/random.js";
import { ENGINES, SoftBox } from "./scripts/guest/box.js";
import { prepareChaos, runChaos, stateOf } from "./scripts/guest/chaos.js";

/** The same cases each time, unless others are asked for. */
const seed = Number(process.env["KVMKIT_SEED"] ?? 1);
const CASES = Number(process.env["KVMKIT_CHAOS_CASES"] ?? 100);

test(`random code of any level and mode does the same on both engines, and never throws (seed ${seed})`, (t) => {
  const boxes = ENGINES.map((engine) => new SoftBox(engine));
  for (let n = 0; n < CASES; n++) {
    const [a, b] = boxes.map((box) => {
      box.cpu.reset();
      box.ram.fill(0);
      prepareChaos(box, new Random(seed, n, 1));
      const exits = runChaos(box, new Random(seed, n, 2), 400);
      const memory = createHash("sha1").update(box.ram).digest("hex");
      return { exits, ...stateOf(box.cpu), memory };
    });
    t.deepEqual(a, b, `seed ${seed}, case ${n}`);
  }
});
