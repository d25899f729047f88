/** Tests that need the native part but no /dev/kvm: they run wherever it is built. */
import test from "ava";

export const nativeTest = process.platform === "linux" && process.arch === "x64" ? test : test.skip;
