/** What spans lines, undone before a text is read: line numbers still hold. */

/** Blanks out comments, outside of strings, and keeps the lines. */
export function withoutComments(text: string): string {
  const token = /"(?:[^"\\\n]|\\.)*"|'(?:\\.|[^\\\n])'?|#[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g;
  return text.replace(token, (found) => (found.startsWith("/*") ? found.replace(/[^\n]/g, " ") : found));
}

/** Joins lines that end in a backslash to the next, and adds as many empty lines behind, so that numbers hold. */
export function joinLines(text: string): string {
  const joined: string[] = [];
  let parts: string[] = [];
  for (const line of text.split("\n")) {
    const continued = /\\\r?$/.exec(line.slice(-2));
    if (continued) {
      parts.push(line.slice(0, line.length - continued[0].length));
      continue;
    }
    joined.push([...parts, line].join(" "), ...new Array<string>(parts.length).fill(""));
    parts = [];
  }
  return [...joined, ...parts].join("\n");
}
