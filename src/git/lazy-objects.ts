import { GitspanError, isGitspanError } from "../model/errors.ts";
import type { Oid } from "../model/git.ts";
import { RefusedWant } from "./fetch-answer.ts";
import { assertTypes, type GitObject, type ObjectSource, type Want } from "./object.ts";
import type { ObjectStore } from "./object-store.ts";
import { type PackLimits, readPack } from "./pack-read.ts";
import type { Remote } from "./remote.ts";
import { orAbort } from "./waiting.ts";

/** A request of so many wants is 100 kB: servers accept it, and more than one request per level is rare. */
const MAX_WANTS = 2000;

const NOTHING: ReadonlyMap<Oid, GitObject> = new Map();

/** Objects from the store, and those it lacks from the remote, many in one request. */
export class LazyObjects implements ObjectSource {
  readonly #remote: Remote;
  readonly #store: ObjectStore;
  readonly #limits: PackLimits;
  /** What somebody is asking the remote for at this moment; never rejects, a failure brings nothing. */
  readonly #underway = new Map<Oid, Promise<ReadonlyMap<Oid, GitObject>>>();
  /** A commit that the server certainly has, too. */
  #latest: Oid | undefined;
  /** The server has given out a tree or a file by its id. */
  proven = false;

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
    // What another lane asks for already is not asked for twice; if its question fails, it is asked here after all.
    const others = new Map<Oid, Promise<ReadonlyMap<Oid, GitObject>>>();
    for (const oid of missing.keys()) {
      const answer = this.#underway.get(oid);
      if (answer !== undefined) others.set(oid, answer);
    }
    const take = async (part: Want[]): Promise<void> => {
      for (const [oid, object] of await this.#ask(part, signal)) found.set(oid, object);
    };
    await take([...missing.values()].filter(({ oid }) => !others.has(oid)));
    for (const [oid, answer] of others) {
      const object = (await orAbort(answer, signal)).get(oid);
      if (object !== undefined) found.set(oid, object);
    }
    await take([...missing.values()].filter(({ oid }) => !found.has(oid)));
    assertTypes(wants, found);
    return found;
  }

  /** The server has named this commit: it may be said to have it, if we do. */
  named(commit: Oid): void {
    if (this.#store.get(commit) !== undefined) this.#latest = commit;
  }

  /** Whether `catchUp` begins at this commit. */
  isLatest(commit: Oid): boolean {
    return this.#latest === commit;
  }

  /**
   * All commits and trees between the last commit that was read and this one, in one request instead of one for every
   * level of the trees; undefined when the one does not lead to the other, or the server does not play along.
   */
  async catchUp(commit: Oid, signal: AbortSignal): Promise<GitObject | undefined> {
    const latest = this.#latest;
    const { version } = await this.#remote.abilities(signal);
    // The old protocols send a pack only when all is said, and then a whole history if they do not know the commit.
    if (latest === undefined || version === 0) return undefined;
    try {
      const request = { wants: [commit], haves: [latest], filter: "blob:none", negotiate: "try" } as const;
      const { pack } = await this.#remote.fetch(request, signal);
      if (pack.length === 0) return undefined;
      const object = this.read(pack).get(commit);
      if (object !== undefined) this.#latest = commit;
      return object;
    } catch (error) {
      if (isGitspanError(error, "git-too-large") || error instanceof RefusedWant) return undefined;
      throw error;
    }
  }

  /** The objects of a pack, kept in the store; their ids are computed, so nothing wrong can stand under a right one. */
  read(pack: Buffer): Map<Oid, GitObject> {
    const objects = readPack(pack, this.#limits, (oid) => this.#store.get(oid));
    for (const [oid, object] of objects) this.#store.put(oid, object);
    return objects;
  }

  async #ask(wants: readonly Want[], signal: AbortSignal): Promise<ReadonlyMap<Oid, GitObject>> {
    if (wants.length === 0) return NOTHING;
    const answer = this.#request(wants, signal);
    const shared = answer.catch(() => NOTHING);
    for (const { oid } of wants) this.#underway.set(oid, shared);
    try {
      return await answer;
    } finally {
      for (const { oid } of wants) if (this.#underway.get(oid) === shared) this.#underway.delete(oid);
    }
  }

  async #request(wants: readonly Want[], signal: AbortSignal): Promise<Map<Oid, GitObject>> {
    const found = new Map<Oid, GitObject>();
    const [first] = wants;
    if (first?.type === "commit" && wants.length === 1) {
      const commit = await this.catchUp(first.oid, signal);
      if (commit !== undefined) return found.set(first.oid, commit);
    }
    for (let from = 0; from < wants.length; from += MAX_WANTS) {
      const part = wants.slice(from, from + MAX_WANTS);
      const oids = part.map((want) => want.oid);
      const alone = { wants: oids, filter: "tree:0", depth: 1 } as const;
      const bare = part.some((want) => want.type !== "blob");
      const { pack } = await this.#remote.fetch(bare ? alone : { wants: oids }, signal);
      const received = this.read(pack);
      for (const oid of oids) found.set(oid, received.get(oid) ?? absent(oid));
      if (part.some((want) => want.type !== "commit")) this.proven = true;
      else this.#latest = oids.at(-1);
    }
    return found;
  }
}

function absent(oid: Oid): never {
  throw new GitspanError("git-protocol", `the server's pack lacks object ${oid}, which was asked for`);
}
