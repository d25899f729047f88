import test from "ava";
import { prerequisites } from "./compile-program.js";

test("prerequisites: names with spaces, dollars and hashes come back as they are (GCC manual, -MMD)", (t) => {
  const rule = "/tmp/program: main.c with\\ space.h \\\n more/a$$b.h c\\#d.h\n";
  t.deepEqual(prerequisites(rule), ["main.c", "with space.h", "more/a$b.h", "c#d.h"]);
});
