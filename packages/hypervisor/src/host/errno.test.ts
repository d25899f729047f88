import test from "ava";
import { Errno, errno } from "./errno.js";

test("errno: an error of another copy of this package is one too", async (t) => {
  // What Node.js imports under another URL is another copy.
  const url: string = new URL("./errno.js?copy", import.meta.url).href;
  const copy = (await import(url)) as typeof import("./errno.js");
  const foreign = copy.errno("EACCES");
  t.not(copy.Errno, Errno);
  t.true(foreign instanceof Errno);
  t.is(foreign.value, errno("EACCES").value);
});

test("errno: other errors and values are not", (t) => {
  for (const value of [new Error("EACCES"), { errno: "EACCES", value: -13 }, null, undefined, 13]) {
    t.false(value instanceof Errno);
  }
});
