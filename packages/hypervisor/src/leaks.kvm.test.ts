import { kvmTest } from "@kvmkit-internal/test-support";
import { callsLeaveNothing, leavesNothing } from "./node/testing-leaks.js";

kvmTest("kvm: a hundred machines in a row, here and in workers, leave nothing behind", (t) =>
  leavesNothing(t, "kvm"),
);

kvmTest("kvm: 100,000 calls of one warm machine leave nothing behind", (t) => callsLeaveNothing(t, "kvm"));
