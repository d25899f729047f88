/** What only documentation and editors need. */
export { manifestJsonSchema } from "./config/json-schema.js";
export { manifestReference } from "./config/reference.js";
export { errorReference } from "./error-reference.js";
export { ALL_ERRORS } from "./error-tables.js";
