/**
 * The steps of a tutorial, from its fenced blocks (CommonMark, "Fenced code blocks"), by their info strings:
 * `sh` is typed, `text` is how the output of the commands before it ends, and `LANGUAGE path` is a file to write.
 */
export type Step =
  | { readonly kind: "shell" | "output"; readonly text: string; readonly line: number }
  | { readonly kind: "file"; readonly path: string; readonly text: string; readonly line: number };

export function stepsOf(page: string): Step[] {
  return [...page.matchAll(/^```([a-z]+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map((match) => {
    const [, language = "", path, text = ""] = match;
    const line = page.slice(0, match.index).split("\n").length;
    if (path !== undefined) return { kind: "file", path, text, line };
    if (language === "sh") return { kind: "shell", text, line };
    if (language === "text") return { kind: "output", text, line };
    throw new Error(`line ${line}: a block of ${language} that no reader could follow`);
  });
}
