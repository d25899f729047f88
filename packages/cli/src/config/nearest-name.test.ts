import test from "ava";
import { editDistance, nearestName } from "./nearest-name.js";

const distances: [string, string, number][] = [
  ["", "", 0],
  ["", "abc", 3],
  ["kitten", "sitting", 3],
  ["memroy", "memory", 1],
  ["ca", "abc", 3],
];

for (const [a, b, distance] of distances) {
  test(`distance: "${a}" to "${b}" is ${distance}`, (t) => t.is(editDistance(a, b), distance));
}

test("nearest name: a swap, a missing letter, a wrong dash and a wrong case are recognised", (t) => {
  const known = ["memory", "file-size", "accel", "boot"];
  t.is(nearestName("memroy", known), "memory");
  t.is(nearestName("acel", known), "accel");
  t.is(nearestName("file_size", known), "file-size");
  t.is(nearestName("BOOT", known), "boot");
});

test("nearest name: what is not near is not suggested", (t) => {
  t.is(nearestName("colour", ["memory", "accel"]), undefined);
  t.is(nearestName("x", []), undefined);
  t.is(nearestName("m".repeat(100_000), ["memory"]), undefined);
});
