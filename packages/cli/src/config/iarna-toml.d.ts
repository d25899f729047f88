/** The reader alone: the package's main entry loads its writer and its stream reader too. */
declare module "@iarna/toml/parse-string.js" {
  export default function parseString(text: string): Record<string, unknown>;
}
