/** The error tables of all packages, for `kvm explain` and docs/errors.md. */
import { CLI_ERRORS } from "./errors.js";

export interface ErrorRow {
  readonly meaning: string;
  readonly remedy: string;
}

export const ERROR_TABLES: Readonly<Record<string, Readonly<Record<string, ErrorRow>>>> = {
  "@kvmkit/cli": CLI_ERRORS,
};

export const ALL_ERRORS: Readonly<Record<string, ErrorRow>> = Object.assign(
  {},
  ...Object.values(ERROR_TABLES),
);
