export type X = 1;
export function assembleSource(..._x: unknown[]): { object: never; inputs: Map<string, Uint8Array> } {
  throw new Error("no text yet");
}
