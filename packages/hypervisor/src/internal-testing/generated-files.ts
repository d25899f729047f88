/** What the generators make of the sample plugin, and of the one that brings source of its own, by file name. */
import { assemblerInclude, cHeader, cStartHeader, markdownPage, rustModule } from "../codegen/index.js";
import { resolvePlugins } from "../plugin-set.js";
import { calls } from "../plugins/calls.js";
import { samplePlugin } from "./sample-plugin.js";

export const samplePlugins = resolvePlugins([
  { plugin: samplePlugin, grant: "all" },
  { plugin: calls, grant: "all" },
]);

export const generatedFiles = (): Readonly<Record<string, string>> => ({
  "freestanding.h": cStartHeader(),
  "hypercalls.h": cHeader(samplePlugins),
  "hypercalls.inc": assemblerInclude(samplePlugins),
  "hypercalls.md": markdownPage(samplePlugins),
  "hypercalls.nasm.inc": assemblerInclude(samplePlugins, "nasm"),
  "hypercalls.rs": rustModule(samplePlugins),
});
