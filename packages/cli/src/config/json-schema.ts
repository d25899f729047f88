/** The manifest's schema for editors, as JSON Schema (draft 2020-12). */
import { MANIFEST_SCHEMA } from "./schema.js";
import type { JsonSchema } from "./value-types.js";

export function manifestJsonSchema(): JsonSchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "vm.toml",
    description: "A virtual machine of kvmkit and the program that runs in it.",
    ...MANIFEST_SCHEMA.jsonSchema,
  };
}
