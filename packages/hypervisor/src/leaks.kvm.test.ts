import { kvmTest } from "@kvmkit-internal/test-support";
import { leavesNothing } from "./node/testing-leaks.js";

kvmTest("kvm: a hundred machines in a row, here and in workers, leave nothing behind", (t) =>
  leavesNothing(t, "kvm"),
);
