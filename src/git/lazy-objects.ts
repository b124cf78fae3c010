import { GitspanError } from "../model/errors.ts";
import type { Oid } from "../model/git.ts";
import type { GitObject, ObjectSource, Want } from "./object.ts";
import type { ObjectStore } from "./object-store.ts";
import { type PackLimits, readPack } from "./pack-read.ts";
import type { Remote } from "./remote.ts";

/** A request of so many wants is 100 kB: servers accept it, and more than one request per level is rare. */
const MAX_WANTS = 2000;

/** Objects from the store, and those it lacks from the remote, many in one request. */
export class LazyObjects implements ObjectSource {
  readonly #remote: Remote;
  readonly #store: ObjectStore;
  readonly #limits: PackLimits;

  constructor(remote: Remote, store: ObjectStore, limits: PackLimits) {
    this.#remote = remote;
    this.#store = store;
    this.#limits = limits;
  }

  keep(oid: Oid, object: GitObject): void {
    this.#store.put(oid, object);
  }

  async load(wants: readonly Want[], signal: AbortSignal): Promise<Map<Oid, GitObject>> {
    const found = new Map<Oid, GitObject>();
    const missing = new Map<Oid, Want>();
    for (const want of wants) {
      const object = this.#store.get(want.oid);
      if (object === undefined) missing.set(want.oid, want);
      else found.set(want.oid, object);
    }
    const asked = [...missing.values()];
    for (let from = 0; from < asked.length; from += MAX_WANTS) {
      const part = asked.slice(from, from + MAX_WANTS);
      const bare = part.some((want) => want.type !== "blob");
      const oids = part.map((want) => want.oid);
      const { pack } = await this.#remote.fetch(bare ? { wants: oids, bare, depth: 1 } : { wants: oids }, signal);
      const received = this.read(pack);
      for (const oid of oids) found.set(oid, received.get(oid) ?? absent(oid));
    }
    for (const { oid, type } of wants) {
      const actual = found.get(oid)?.type;
      if (actual !== type) {
        throw new GitspanError("git-protocol", `object ${oid} is a ${actual ?? "nothing"}, not a ${type}`);
      }
    }
    return found;
  }

  /** The objects of a pack, kept in the store; their ids are computed, so nothing wrong can stand under a right one. */
  read(pack: Buffer): Map<Oid, GitObject> {
    const objects = readPack(pack, this.#limits, (oid) => this.#store.get(oid));
    for (const [oid, object] of objects) this.#store.put(oid, object);
    return objects;
  }
}

function absent(oid: Oid): never {
  throw new GitspanError("git-protocol", `the server's pack lacks object ${oid}, which was asked for`);
}
