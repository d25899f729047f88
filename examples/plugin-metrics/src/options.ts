/** What a manifest may say about metrics. */
import { resolve } from "node:path";

export interface MetricsOptions {
  /** Absolute; where the text goes when the run ends. */
  readonly file: string | undefined;
  /** Labels of every sample, such as the machine's name. */
  readonly labels: Readonly<Record<string, string>>;
  /** Metrics that a program may make. */
  readonly maxMetrics: number;
}

/** Prometheus documentation, "Data model": names that begin with two underscores are its own. */
const LABEL = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

export function checkOptions(given: unknown): MetricsOptions {
  const { file, labels = {}, maxMetrics = 1000, ...others } = (given ?? {}) as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new Error(`unknown option ${unknown}; there are file, labels and maxMetrics`);
  if (file !== undefined && (typeof file !== "string" || file === "")) {
    throw new Error("file must be the path of a file, relative to the folder that kvm is started in");
  }
  if (typeof labels !== "object" || labels === null) throw new Error("labels must be a table of texts");
  const checked = Object.entries(labels).map(([name, value]) => {
    if (!LABEL.test(name) || name === "le") throw new Error(`labels: ${name} cannot be a label`);
    if (typeof value !== "string") throw new Error(`labels: ${name} must be a text`);
    return [name, value] as const;
  });
  if (!Number.isInteger(maxMetrics) || Number(maxMetrics) < 1 || Number(maxMetrics) > 60_000) {
    throw new Error("maxMetrics must be a whole number from 1 to 60000");
  }
  return {
    file: file === undefined ? undefined : resolve(file),
    labels: Object.fromEntries(checked),
    maxMetrics: Number(maxMetrics),
  };
}
