/** @kvmkit/kvm-bindings, where it is installed and its native part loads: no platform must have it. */
import { reasonOf } from "../errors.js";

export type Bindings = typeof import("@kvmkit/kvm-bindings");

async function load(): Promise<Bindings | string> {
  try {
    const loaded = await import("@kvmkit/kvm-bindings");
    new loaded.StopSource().close();
    return loaded;
  } catch (error) {
    return reasonOf(error);
  }
}

const loaded = await load();

export const bindings: Bindings | undefined = typeof loaded === "string" ? undefined : loaded;
/** Why `bindings` is undefined. */
export const bindingsMissing: string = typeof loaded === "string" ? loaded : "";
