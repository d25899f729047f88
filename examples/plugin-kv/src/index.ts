/**
 * A key-value store that outlives the machine: each hypercall is one SQL statement on an embedded SQLite.
 *
 * What a run changes is one transaction. `kv_commit` makes it last, and so does the program's own end; a run that is
 * cut off (a signal, a limit) leaves what was committed last.
 */
import { definePlugin, errno, t } from "@kvmkit/hypervisor";
import { checkOptions } from "./options.js";
import { Cursor, FullError, Store } from "./store.js";

const MAX_KEY = 512;
const MAX_VALUE = 1 << 20;

const sizes = t.struct("kv_sizes", { key: "u64", value: "u64" });

export default definePlugin({
  name: "kv",
  version: "1.0.0",
  abi: 1,
  doc: "A key-value store on SQLite. Keys and values are bytes; keys are ordered by them.",
  options: checkOptions,
  state: ({ options }) => new Store(options),
  hypercalls: {
    kv_put: {
      doc: "Sets a key's value. -ENOSPC: the store may not grow, and the key is as it was.",
      args: { key: t.buffer.in(MAX_KEY), value: t.buffer.in(MAX_VALUE) },
      errors: ["EINVAL", "ENOSPC"],
      handle({ state }, { key, value }) {
        try {
          state.put(keyOf(key.bytes()), value.bytes());
        } catch (error) {
          throw error instanceof FullError ? errno("ENOSPC") : error;
        }
      },
    },
    kv_get: {
      doc: "Copies a key's value into `value`; the result is the value's size. -ERANGE where it does not fit.",
      args: { key: t.buffer.in(MAX_KEY), value: t.buffer.out(MAX_VALUE) },
      returns: t.u32,
      errors: ["EINVAL", "ENOENT", "ERANGE"],
      handle({ state }, { key, value }) {
        const found = state.get(keyOf(key.bytes()));
        if (found === undefined) throw errno("ENOENT");
        if (found.length > value.length) throw errno("ERANGE");
        return value.write(found);
      },
    },
    kv_delete: {
      doc: "Removes a key and its value.",
      args: { key: t.buffer.in(MAX_KEY) },
      errors: ["EINVAL", "ENOENT"],
      handle({ state }, { key }) {
        if (!state.delete(keyOf(key.bytes()))) throw errno("ENOENT");
      },
    },
    kv_count: {
      doc: "The number of keys.",
      args: {},
      returns: t.u64,
      handle: ({ state }) => BigInt(state.count()),
    },
    kv_scan: {
      doc: "A cursor over the keys that begin with `prefix`, in their order. Close it with kv_close.",
      args: { prefix: t.buffer.in(MAX_KEY) },
      returns: t.u32,
      errors: ["EMFILE"],
      handle: (ctx, { prefix }) => ctx.handles<Cursor>("kv_cursor").add(new Cursor(prefix.bytes())),
    },
    kv_next: {
      doc: "Copies the cursor's next key and value, and says their sizes. -ENOENT at the end; -ERANGE where one does not fit, and the cursor stays.",
      args: {
        cursor: t.handle<Cursor>("kv_cursor"),
        key: t.buffer.out(MAX_KEY),
        value: t.buffer.out(MAX_VALUE),
        sizes: sizes.out(),
      },
      errors: ["ENOENT", "ERANGE"],
      handle({ state }, { cursor, key, value, sizes }) {
        const row = state.after(cursor);
        if (row === undefined) throw errno("ENOENT");
        if (row.key.length > key.length || row.value.length > value.length) throw errno("ERANGE");
        key.write(row.key);
        value.write(row.value);
        sizes.set({ key: BigInt(row.key.length), value: BigInt(row.value.length) });
        cursor.moveTo(row.key);
      },
    },
    kv_close: {
      doc: "Forgets a cursor.",
      args: { cursor: t.handle<Cursor>("kv_cursor") },
      handle(ctx, { cursor }) {
        ctx.handles<Cursor>("kv_cursor").release(cursor);
      },
    },
    kv_commit: {
      doc: "What was changed so far lasts, whatever happens later.",
      args: {},
      handle({ state }) {
        state.commit();
      },
    },
  },
  hooks: {
    exit({ state }, { kind }) {
      if (kind === "exited") state.commit();
    },
    close({ state }) {
      state.close();
    },
  },
});

function keyOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) throw errno("EINVAL");
  return bytes;
}
