/**
 * The part of the WebAssembly JavaScript interface that this package uses, typed without the DOM library, and
 * absent where a host has none: the TypeScript engine then runs on a plain buffer.
 */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
}

export interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}

export interface WasmApi {
  readonly Memory: new (descriptor: { initial: number; maximum: number; shared: boolean }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: Readonly<Record<string, object>>) => WasmInstance;
}

export const webAssembly = (globalThis as { WebAssembly?: WasmApi }).WebAssembly;
