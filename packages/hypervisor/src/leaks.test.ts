import test from "ava";
import { leavesNothing } from "./node/testing-leaks.js";

test("soft: a hundred machines in a row, here and in workers, leave nothing behind", (t) =>
  leavesNothing(t, "soft"));
