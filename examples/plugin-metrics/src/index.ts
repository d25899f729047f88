/**
 * Counters, gauges and histograms of a program, exported in Prometheus' text format: to a file when the run ends, which
 * node_exporter's textfile collector or a push reads, and to other plugins as a service.
 */
import { definePlugin, errno, t } from "@kvmkit/hypervisor";
import { checkOptions } from "./options.js";
import { writeMetrics } from "./output-file.js";
import { Counter, Gauge, Histogram, type Metric, Registry, RegistryError } from "./registry.js";

const name = t.cstring(200);
const help = t.cstring(500);

const metrics = definePlugin({
  name: "metrics",
  version: "1.0.0",
  abi: 1,
  doc: "Counters, gauges and histograms, exported as Prometheus text.",
  options: checkOptions,
  state: ({ options }) => new Registry(options),
  /** `text()` is what a scrape would get. */
  service: (registry) => ({ text: () => registry.text() }),
  hypercalls: {
    metrics_counter: {
      doc: "A counter by its name; the same one for the same name.",
      args: { name, help },
      returns: t.u32,
      errors: ["EINVAL", "EEXIST", "ENOSPC"],
      handle: (ctx, { name, help }) => register(ctx, () => ctx.state.counter(name, help)),
    },
    metrics_gauge: {
      doc: "A gauge by its name; the same one for the same name.",
      args: { name, help },
      returns: t.u32,
      errors: ["EINVAL", "EEXIST", "ENOSPC"],
      handle: (ctx, { name, help }) => register(ctx, () => ctx.state.gauge(name, help)),
    },
    metrics_histogram: {
      doc: "A histogram by its name. `bounds` are doubles, ascending: the upper bounds of its buckets but the last, which has none.",
      args: { name, help, bounds: t.buffer.in(64 * 8) },
      returns: t.u32,
      errors: ["EINVAL", "EEXIST", "ENOSPC"],
      handle: (ctx, { name, help, bounds }) =>
        register(ctx, () => ctx.state.histogram(name, help, doublesOf(bounds.bytes()))),
    },
    metrics_add: {
      doc: "Adds to a counter, for which `amount` is not negative, or to a gauge.",
      args: { metric: t.handle<Metric>("metric"), amount: t.f64 },
      errors: ["EINVAL"],
      handle(_ctx, { metric, amount }) {
        if (!(metric instanceof Counter || metric instanceof Gauge) || !metric.add(amount))
          throw errno("EINVAL");
      },
    },
    metrics_set: {
      doc: "Sets a gauge.",
      args: { metric: t.handle<Metric>("metric"), value: t.f64 },
      errors: ["EINVAL"],
      handle(_ctx, { metric, value }) {
        if (!(metric instanceof Gauge)) throw errno("EINVAL");
        metric.set(value);
      },
    },
    metrics_observe: {
      doc: "Puts a value into a histogram.",
      args: { metric: t.handle<Metric>("metric"), value: t.f64 },
      errors: ["EINVAL"],
      handle(_ctx, { metric, value }) {
        if (!(metric instanceof Histogram) || !metric.observe(value)) throw errno("EINVAL");
      },
    },
    metrics_value: {
      doc: "What a counter or a gauge is now.",
      args: { metric: t.handle<Metric>("metric") },
      returns: t.f64,
      errors: ["EINVAL"],
      handle(_ctx, { metric }) {
        if (metric instanceof Histogram) throw errno("EINVAL");
        return metric.value;
      },
    },
  },
  hooks: {
    exit({ state, options }) {
      if (options.file !== undefined) writeMetrics(options.file, state.text());
    },
  },
});

export default metrics;

interface RegisterContext {
  readonly state: Registry;
  handles<T>(of: string): { add(object: T): number };
}

/** A handle of its own for each metric, however often it is asked for. */
function register(ctx: RegisterContext, find: () => Metric): number {
  try {
    const metric = find();
    metric.handle ??= ctx.handles<Metric>("metric").add(metric);
    return metric.handle;
  } catch (error) {
    throw error instanceof RegistryError ? errno(error.errno) : error;
  }
}

/** A guest's buffer may begin at any address; a Float64Array may not. */
function doublesOf(bytes: Uint8Array): number[] {
  if (bytes.length % 8 !== 0) throw errno("EINVAL");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 8 }, (_, index) => view.getFloat64(index * 8, true));
}
