/** What the commands about machines run. One door, so that the bundle has one file of it rather than a dozen. */
export { buildManifests } from "../build/build-manifests.js";
export { examineHost } from "../doctor/examine-host.js";
export { execProgram } from "../run/exec-program.js";
export { runManifest } from "../run/run-manifest.js";
