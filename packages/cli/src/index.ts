/** The library door: read and check manifests, and run the command line inside of another program. */
export { runCli, type World } from "./cli.js";
export { manifestJsonSchema } from "./config/json-schema.js";
export { ManifestError, type Problem } from "./config/problems.js";
export { MANIFEST_SCHEMA, type Manifest } from "./config/schema.js";
export { checkManifest, type LoadedManifest, loadManifest } from "./config/vm-toml.js";
export { CliError, type CliErrorCode, ERROR_TABLE, type ErrorRow } from "./errors.js";
export {
  type ManifestMachine,
  type ManifestMachineOptions,
  machineOfManifest,
} from "./machine-of-manifest.js";
