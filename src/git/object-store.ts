import type { Oid } from "../model/git.ts";
import type { GitObject } from "./object.ts";

/** What an entry costs beside its content: the id, the map's slot and the buffer's own record, roughly. */
const ENTRY_OVERHEAD = 200;

/** Objects by id in memory, bounded in bytes; the least recently used leave first. */
export class ObjectStore {
  readonly #objects = new Map<Oid, GitObject>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(oid: Oid): GitObject | undefined {
    const found = this.#objects.get(oid);
    if (found === undefined) return undefined;
    // A Map iterates in order of insertion: putting it back makes it the youngest.
    this.#objects.delete(oid);
    this.#objects.set(oid, found);
    return found;
  }

  put(oid: Oid, object: GitObject): void {
    const cost = object.data.length + ENTRY_OVERHEAD;
    if (this.#objects.has(oid) || cost > this.#maxBytes) return;
    this.#objects.set(oid, object);
    this.#bytes += cost;
    for (const [oldest, { data }] of this.#objects) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#objects.delete(oldest);
      this.#bytes -= data.length + ENTRY_OVERHEAD;
    }
  }
}
