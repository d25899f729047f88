/** The plugin: one hypercall, its arguments, its errors and its handler, in one definition. */
import { definePlugin, errno, t } from "@kvmkit/hypervisor";
import { LARGEST, toRoman } from "./roman.js";

interface RomanOptions {
  readonly lowercase: boolean;
}

export default definePlugin({
  name: "roman",
  version: "1.0.0",
  abi: 1,
  options: checkOptions,
  hypercalls: {
    roman_numeral: {
      doc: "Writes `value` as a Roman numeral into `text`; the result is its length in bytes.",
      args: { value: t.u32, text: t.buffer.out(64) },
      errors: ["EDOM", "ERANGE"],
      handle({ options }, { value, text }) {
        if (value < 1 || value > LARGEST) throw errno("EDOM");
        const numeral = toRoman(value);
        const bytes = new TextEncoder().encode(options.lowercase ? numeral.toLowerCase() : numeral);
        if (bytes.length > text.length) throw errno("ERANGE");
        text.write(bytes);
        return bytes.length;
      },
    },
  },
});

function checkOptions(given: unknown): RomanOptions {
  const { lowercase = false, ...others } = (given ?? {}) as { lowercase?: unknown };
  if (typeof lowercase !== "boolean") throw new Error("lowercase must be true or false");
  if (Object.keys(others).length > 0) throw new Error(`unknown option ${Object.keys(others)[0]}`);
  return { lowercase };
}
