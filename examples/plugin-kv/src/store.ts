/** The database: one table, prepared statements, and a transaction that begins with the first change. */
import sqlite from "node-sqlite3-wasm";
import { claim } from "./claim.js";
import type { StoreOptions } from "./options.js";

const PAGE_BYTES = 4096;
/** What one change may add beside its value: split pages on the way from the root. */
const SPARE_PAGES = 16;

export interface Row {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** The database may not grow. Nothing was changed. */
export class FullError extends Error {}

/** A place in the order of keys. It holds no statement open, so any number of them can stand in a changing store. */
export class Cursor {
  readonly prefix: Uint8Array;
  #last: Uint8Array | undefined;

  constructor(prefix: Uint8Array) {
    this.prefix = prefix.slice();
  }

  /** The key that was read last. */
  get last(): Uint8Array | undefined {
    return this.#last;
  }

  moveTo(key: Uint8Array): void {
    this.#last = key;
  }
}

export class Store {
  readonly #database: InstanceType<typeof sqlite.Database>;
  readonly #statements: Readonly<Record<keyof typeof SQL, InstanceType<typeof sqlite.Statement>>>;
  readonly #release: () => void;
  readonly #maxPages: number;
  /** SQLite ended the transaction by itself, as it does where the disk is full: half of a run must not be committed. */
  #lost = false;

  /** Errors: Error where the file is another's, or no database. */
  constructor({ file, maxBytes }: StoreOptions) {
    this.#maxPages = Math.floor(maxBytes / PAGE_BYTES);
    this.#release = file === undefined ? () => {} : claim(file);
    try {
      this.#database = new sqlite.Database(file ?? ":memory:");
      this.#database.exec(`PRAGMA page_size = ${PAGE_BYTES};
        CREATE TABLE IF NOT EXISTS kv (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID`);
      this.#statements = {
        put: this.#database.prepare(SQL.put),
        get: this.#database.prepare(SQL.get),
        delete: this.#database.prepare(SQL.delete),
        count: this.#database.prepare(SQL.count),
        first: this.#database.prepare(SQL.first),
        after: this.#database.prepare(SQL.after),
        pages: this.#database.prepare(SQL.pages),
      };
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  /** Errors: FullError. */
  put(key: Uint8Array, value: Uint8Array): void {
    // SQLITE_FULL would undo the whole transaction, so room is made sure of before.
    const needed = Math.ceil((key.length + value.length) / PAGE_BYTES) + SPARE_PAGES;
    if (Number(this.#statements.pages.get()!["used"]) + needed > this.#maxPages) throw new FullError();
    this.#change(() => this.#statements.put.run([key, value]));
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#statements.get.get([key])?.["value"] as Uint8Array | undefined;
  }

  /** Result: whether the key was there. */
  delete(key: Uint8Array): boolean {
    return this.#change(() => this.#statements.delete.run([key])).changes > 0;
  }

  count(): number {
    return Number(this.#statements.count.get()!["count"]);
  }

  /** The row behind a cursor; undefined where no further key has its prefix. */
  after({ prefix, last }: Cursor): Row | undefined {
    const { first, after } = this.#statements;
    const row = (last === undefined ? first.get([prefix]) : after.get([last])) as unknown as Row | null;
    return row !== null && prefix.every((byte, index) => row.key[index] === byte) ? row : undefined;
  }

  commit(): void {
    this.#watched(() => {
      if (this.#database.inTransaction) this.#database.exec("COMMIT");
    });
  }

  /** What was not committed is gone. */
  close(): void {
    if (!this.#database.isOpen) return;
    if (this.#database.inTransaction) this.#database.exec("ROLLBACK");
    for (const statement of Object.values(this.#statements)) statement.finalize();
    this.#database.close();
    this.#release();
  }

  #change<T>(statement: () => T): T {
    return this.#watched(() => {
      if (!this.#database.inTransaction) this.#database.exec("BEGIN IMMEDIATE");
      return statement();
    });
  }

  #watched<T>(run: () => T): T {
    if (this.#lost) throw new Error("the changes since the last commit are lost; see the first error");
    const wasOpen = this.#database.inTransaction;
    try {
      return run();
    } catch (error) {
      this.#lost = wasOpen && !this.#database.inTransaction;
      throw error;
    }
  }
}

const SQL = {
  put: "INSERT INTO kv VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  get: "SELECT value FROM kv WHERE key = ?",
  delete: "DELETE FROM kv WHERE key = ?",
  count: "SELECT count(*) AS count FROM kv",
  first: "SELECT key, value FROM kv WHERE key >= ? ORDER BY key LIMIT 1",
  after: "SELECT key, value FROM kv WHERE key > ? ORDER BY key LIMIT 1",
  pages: "SELECT page_count - freelist_count AS used FROM pragma_page_count, pragma_freelist_count",
} as const;
