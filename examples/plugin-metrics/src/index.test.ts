/** The handlers without a machine, and the text that they lead to. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { definePlugin } from "@kvmkit/hypervisor";
import { fuzzHypercalls, PluginHarness } from "@kvmkit/hypervisor/testing";
import test, { type ExecutionContext } from "ava";
import plugin from "./index.js";
import { writeMetrics } from "./output-file.js";

const EBADF = -9n;
const EEXIST = -17n;
const EINVAL = -22n;
const ENOSPC = -28n;

const folder = mkdtempSync(join(tmpdir(), "kvmkit-metrics-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

const grants = (options: object = {}) => [{ plugin, grant: "all" as const, options }];

/** The argument register of a double. */
function bits(value: number): bigint {
  return new BigUint64Array(new Float64Array([value]).buffer)[0]!;
}

/** A harness whose text can be read: what another plugin gets of this one's service. */
class Client extends PluginHarness {
  readonly text: () => string;

  constructor(options: object = {}) {
    let text = (): string => "";
    const reader = definePlugin({
      name: "reader",
      version: "1.0.0",
      abi: 1,
      dependsOn: ["metrics"],
      state(ctx) {
        ({ text } = ctx.service(plugin));
      },
    });
    super([...grants(options), { plugin: reader, grant: "all" }]);
    this.text = text;
  }

  make(kind: "counter" | "gauge", name: string, help = "Help."): bigint {
    return this.call(`metrics_${kind}`, this.put(name), this.put(help))!;
  }

  histogram(name: string, ...bounds: number[]): bigint {
    const bytes = new Uint8Array(new Float64Array(bounds).buffer);
    return this.call("metrics_histogram", this.put(name), this.put("Help."), this.put(bytes), bytes.length)!;
  }

  add = (metric: bigint, amount: number) => this.call("metrics_add", metric, bits(amount));
  set = (metric: bigint, value: number) => this.call("metrics_set", metric, bits(value));
  observe = (metric: bigint, value: number) => this.call("metrics_observe", metric, bits(value));
}

test("counters and gauges: their values, with help, type and the host's labels", (t) => {
  using client = new Client({ labels: { vm: 'a"b\\c\nd' } });
  const counter = client.make("counter", "requests_total", "Requests.\nAll \\ of them.");
  client.add(counter, 1);
  client.add(counter, 1.5);
  const gauge = client.make("gauge", "level");
  client.set(gauge, 4);
  client.add(gauge, -6);
  t.is(client.call("metrics_value", counter), bits(2.5));
  const labels = '{vm="a\\"b\\\\c\\nd"}';
  t.is(
    client.text(),
    `# HELP requests_total Requests.\\nAll \\\\ of them.\n# TYPE requests_total counter\nrequests_total${labels} 2.5\n` +
      `# HELP level Help.\n# TYPE level gauge\nlevel${labels} -2\n`,
  );
});

test("a histogram: buckets are cumulative, the last has every value, sum and count agree", (t) => {
  using client = new Client();
  const histogram = client.histogram("seconds", 0.1, 1);
  for (const value of [0.05, 0.1, 0.5, 7]) client.observe(histogram, value);
  t.is(
    client.text(),
    '# HELP seconds Help.\n# TYPE seconds histogram\nseconds_bucket{le="0.1"} 2\nseconds_bucket{le="1"} 3\nseconds_bucket{le="+Inf"} 4\nseconds_sum 7.65\nseconds_count 4\n',
  );
});

test("values that are no finite number are written as Prometheus reads them", (t) => {
  using client = new Client();
  for (const [name, value] of Object.entries({ a: Infinity, b: -Infinity, c: NaN, d: 1e300, e: 1e-7 })) {
    client.set(client.make("gauge", name), value);
  }
  const values = client.text().match(/^\w \S+$/gm);
  t.deepEqual(values, ["a +Inf", "b -Inf", "c NaN", "d 1e+300", "e 1e-7"]);
});

test("the same name is the same metric, by the same handle; another kind or other bounds are -EEXIST", (t) => {
  using client = new Client();
  const counter = client.make("counter", "a");
  t.is(client.make("counter", "a"), counter);
  t.is(client.make("gauge", "a"), EEXIST);
  const histogram = client.histogram("h", 1, 2);
  t.is(client.histogram("h", 1, 2), histogram);
  t.is(client.histogram("h", 1, 3), EEXIST);
  t.is(client.make("counter", "h_count"), EEXIST);
  client.make("counter", "other_sum");
  t.is(client.histogram("other", 1), EEXIST);
});

const refused: [string, (client: Client) => bigint | undefined, bigint][] = [
  ["a name with a space", (client) => client.make("counter", "a b"), EINVAL],
  ["no name", (client) => client.make("gauge", ""), EINVAL],
  ["a name that would begin a line of its own", (client) => client.make("gauge", "a\nb 1"), EINVAL],
  ["bounds that do not ascend", (client) => client.histogram("h", 2, 2), EINVAL],
  ["a bound that is no number", (client) => client.histogram("h", NaN), EINVAL],
  [
    "half a bound",
    (client) => client.call("metrics_histogram", client.put("h"), client.put(""), 0x1000, 12),
    EINVAL,
  ],
  ["a counter that falls", (client) => client.add(client.make("counter", "a"), -1), EINVAL],
  ["a counter that becomes no number", (client) => client.add(client.make("counter", "a"), NaN), EINVAL],
  ["a counter that is set", (client) => client.set(client.make("counter", "a"), 1), EINVAL],
  ["no number into a histogram", (client) => client.observe(client.histogram("h", 1), NaN), EINVAL],
  ["a handle that was not given out", (client) => client.add(77n, 1), EBADF],
];
for (const [title, call, errno] of refused) {
  test(`refused: ${title}`, (t) => {
    using client = new Client();
    t.is(call(client), errno);
  });
}

test("after maxMetrics it is -ENOSPC, and those that are there go on", (t) => {
  using client = new Client({ maxMetrics: 1 });
  const first = client.make("counter", "a");
  t.is(client.make("counter", "b"), ENOSPC);
  t.is(client.add(first, 1), 0n);
});

test("the file is there whole or not at all, and nothing else is left", (t: ExecutionContext) => {
  const file = join(folder, "a.prom");
  writeMetrics(file, "first");
  writeMetrics(file, "second");
  t.is(readFileSync(file, "utf8"), "second");
  t.deepEqual(readdirSync(folder), ["a.prom"]);
});

const badOptions: [object, RegExp][] = [
  [{ labels: { __name__: "x" } }, /__name__ cannot be a label/],
  [{ labels: { le: "1" } }, /le cannot be a label/],
  [{ labels: { a: 1 } }, /a must be a text/],
  [{ maxMetrics: 0 }, /maxMetrics must be/],
  [{ flie: "x" }, /unknown option flie/],
];
for (const [options, message] of badOptions) {
  test(`options are checked: ${JSON.stringify(options)}`, (t) => {
    t.regex(t.throws(() => new PluginHarness(grants(options))).message, message);
  });
}

test("20,000 random calls: no exception gets out, and none comes from a check that is missing", async (t) => {
  const report = await fuzzHypercalls(grants(), { calls: 20_000, seed: 5 });
  t.deepEqual([report.escapes, [...report.handlerFailures]], [[], []]);
});
