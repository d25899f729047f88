/**
 * Metrics and their text (Prometheus documentation, "Exposition formats", text format 0.0.4).
 *
 * A writer of our own rather than prom-client: that one makes its text asynchronously, and hooks are synchronous so that
 * nothing of a machine outlives its run. The format is a page.
 */

export type Metric = Counter | Gauge | Histogram;

/** What the program gets in place of a metric. */
export class RegistryError extends Error {
  readonly errno: "EINVAL" | "EEXIST" | "ENOSPC";

  constructor(errno: RegistryError["errno"]) {
    super(errno);
    this.errno = errno;
  }
}

interface Sample {
  readonly suffix: string;
  readonly label?: readonly [name: string, value: string];
  readonly value: number;
}

export class Counter {
  readonly kind = "counter";
  /** What the program calls it by. */
  handle: number | undefined;
  value = 0;

  /** Result: whether it was added; a counter never falls. */
  add(amount: number): boolean {
    if (!(amount >= 0)) return false;
    this.value += amount;
    return true;
  }

  samples(): Sample[] {
    return [{ suffix: "", value: this.value }];
  }
}

export class Gauge {
  readonly kind = "gauge";
  handle: number | undefined;
  value = 0;

  add(amount: number): boolean {
    this.value += amount;
    return true;
  }

  set(value: number): void {
    this.value = value;
  }

  samples(): Sample[] {
    return [{ suffix: "", value: this.value }];
  }
}

export class Histogram {
  readonly kind = "histogram";
  handle: number | undefined;
  readonly bounds: readonly number[];
  /** Values in each bucket alone; the last is above every bound. */
  readonly #counts: number[];
  #sum = 0;

  /** Errors: RegistryError EINVAL where the bounds do not ascend. */
  constructor(bounds: readonly number[]) {
    const ascends = bounds.every((bound, index) => Number.isFinite(bound) && !(bound <= bounds[index - 1]!));
    if (!ascends) throw new RegistryError("EINVAL");
    this.bounds = bounds;
    this.#counts = new Array(bounds.length + 1).fill(0);
  }

  /** Result: whether it was put in; what is not a number belongs into no bucket. */
  observe(value: number): boolean {
    if (Number.isNaN(value)) return false;
    const bucket = this.bounds.findIndex((bound) => value <= bound);
    this.#counts[bucket === -1 ? this.bounds.length : bucket]!++;
    this.#sum += value;
    return true;
  }

  /** Buckets are cumulative: each counts what is at most its bound. */
  samples(): Sample[] {
    let count = 0;
    const buckets = [...this.bounds, Number.POSITIVE_INFINITY].map((bound, index): Sample => {
      count += this.#counts[index]!;
      return { suffix: "_bucket", label: ["le", numberText(bound)], value: count };
    });
    return [...buckets, { suffix: "_sum", value: this.#sum }, { suffix: "_count", value: count }];
  }
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

export class Registry {
  readonly #metrics = new Map<string, { readonly help: string; readonly metric: Metric }>();
  readonly #options: { readonly labels: Readonly<Record<string, string>>; readonly maxMetrics: number };

  constructor(options: { readonly labels: Readonly<Record<string, string>>; readonly maxMetrics: number }) {
    this.#options = options;
  }

  counter(name: string, help: string): Counter {
    return this.#find(name, help, Counter, () => new Counter());
  }

  gauge(name: string, help: string): Gauge {
    return this.#find(name, help, Gauge, () => new Gauge());
  }

  histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    const histogram = this.#find(name, help, Histogram, () => new Histogram(bounds));
    const isSame =
      histogram.bounds.length === bounds.length && bounds.every((b, i) => histogram.bounds[i] === b);
    if (!isSame) throw new RegistryError("EEXIST");
    return histogram;
  }

  /** Errors: RegistryError EINVAL for the name, EEXIST where another kind has it, ENOSPC. */
  #find<M extends Metric>(name: string, help: string, kind: new (...args: never[]) => M, make: () => M): M {
    const known = this.#metrics.get(name)?.metric;
    if (known instanceof kind) return known;
    if (!NAME.test(name)) throw new RegistryError("EINVAL");
    if (known !== undefined || this.#isSeries(name) || this.#hasSeries(name, kind))
      throw new RegistryError("EEXIST");
    if (this.#metrics.size >= this.#options.maxMetrics) throw new RegistryError("ENOSPC");
    const metric = make();
    this.#metrics.set(name, { help, metric });
    return metric;
  }

  /** Whether a histogram has samples of this name. */
  #isSeries(name: string): boolean {
    const [, base] = /^(.*)_(?:bucket|sum|count)$/.exec(name) ?? [];
    return base !== undefined && this.#metrics.get(base)?.metric instanceof Histogram;
  }

  /** Whether a name that a histogram's samples would have is taken. */
  #hasSeries(name: string, kind: unknown): boolean {
    return kind === Histogram && ["_bucket", "_sum", "_count"].some((end) => this.#metrics.has(name + end));
  }

  text(): string {
    return [...this.#metrics].map(([name, { help, metric }]) => this.#block(name, help, metric)).join("");
  }

  #block(name: string, help: string, metric: Metric): string {
    const labels = Object.entries(this.#options.labels);
    const lines = metric.samples().map(({ suffix, label, value }) => {
      const all = label === undefined ? labels : [...labels, label];
      const text = all
        .map(([key, content]) => `${key}="${escaped(content).replaceAll('"', '\\"')}"`)
        .join(",");
      return `${name}${suffix}${text === "" ? "" : `{${text}}`} ${numberText(value)}\n`;
    });
    return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${metric.kind}\n${lines.join("")}`;
  }
}

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");

/** As Go's strconv.ParseFloat reads it. */
function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
