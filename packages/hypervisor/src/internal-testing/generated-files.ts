/** What the generators make of the sample plugin, by file name. */
import { assemblerInclude, cHeader, cStartHeader, markdownPage, rustModule } from "../codegen/index.js";
import { resolvePlugins } from "../plugin-set.js";
import { samplePlugin } from "./sample-plugin.js";

export const samplePlugins = resolvePlugins([{ plugin: samplePlugin, grant: "all" }]);

export const generatedFiles = (): Readonly<Record<string, string>> => ({
  "freestanding.h": cStartHeader(),
  "hypercalls.h": cHeader(samplePlugins),
  "hypercalls.inc": assemblerInclude(samplePlugins),
  "hypercalls.md": markdownPage(samplePlugins),
  "hypercalls.nasm.inc": assemblerInclude(samplePlugins, "nasm"),
  "hypercalls.rs": rustModule(samplePlugins),
});
