/** What the README starts. */
import { inspect } from "node:util";
import { Filters } from "./filters.js";

const print = (...values: unknown[]): void => {
  const texts = values.map((value) => (typeof value === "string" ? value : inspect(value)));
  process.stdout.write(`${texts.join(" ")}\n`);
};

const filters = await Filters.open();
const image = Uint8Array.of(10, 100, 200, 250);
print(filters.histogram(image));
print(filters.brighten(image, 10), "cut off:", [...image]);
print(filters.countWords("one warm machine,\tmany calls"), "words");

let calls = 0;
for (const until = performance.now() + 1000; performance.now() < until; calls++) filters.countWords("a b");
print(calls, "calls in a second");

try {
  filters.readAnything(8n);
} catch (error) {
  print((error as Error).message);
}
filters.close();
