import { deflateSync, inflateSync } from "node:zlib";
import type { CommitInfo, Oid } from "../model/git.ts";
import { parseCommit } from "./commit.ts";
import type { GitObject, ObjectType } from "./object.ts";
import type { Unpacked } from "./pack-read.ts";

interface Packed {
  type: ObjectType;
  deflated: Buffer;
}

/** What an entry costs beside its content: the id, the map's slot and the buffer's own record, roughly. */
const ENTRY_OVERHEAD = 200;
/** More than so many commits need not be named to a server for it to see what we have. */
const MAX_TIPS = 32;

/**
 * Whole commits in memory, deflated: everything that hangs below a commit in here is in here too. That is what may be
 * said to a server to get only what is new, and why nothing is ever dropped alone.
 */
export class Snapshot {
  readonly #objects = new Map<Oid, Packed>();
  readonly #commits = new Map<Oid, CommitInfo>();
  #tips: readonly Oid[] = [];
  #bytes = 0;

  /** Of memory, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  get empty(): boolean {
    return this.#commits.size === 0;
  }

  /** The commit, if it is here with everything below it. */
  commit(oid: Oid): CommitInfo | undefined {
    return this.#commits.get(oid);
  }

  object(oid: Oid): GitObject | undefined {
    const packed = this.#objects.get(oid);
    return packed === undefined ? undefined : { type: packed.type, data: inflateSync(packed.deflated) };
  }

  /** Takes what a server sent for these wants, having been told of `tips` and `boundary`. */
  add(wants: readonly Oid[], objects: readonly Unpacked[], pack: Buffer): void {
    // What lies whole in the pack stays there.
    if (objects.some(({ deflated }) => deflated !== undefined)) this.#bytes += pack.length;
    for (const { oid, object, deflated } of objects) {
      this.#put(oid, object, deflated);
      if (object.type === "commit") this.#commits.set(oid, parseCommit(oid, object.data));
    }
    for (const oid of wants) if (this.#commits.has(oid)) this.#name(oid);
  }

  /** Takes an object that was made here; a commit counts as whole when it was made on a whole one. */
  keep(oid: Oid, object: GitObject): void {
    this.#put(oid, object, undefined);
    if (object.type !== "commit") return;
    const commit = parseCommit(oid, object.data);
    if (!commit.parents.every((parent) => this.#commits.has(parent))) return;
    this.#commits.set(oid, commit);
    this.#name(oid);
  }

  /** The commits to name as ours, the last ones only. */
  tips(): readonly Oid[] {
    return this.#tips;
  }

  /** Commits whose parents are not here. */
  boundary(): Oid[] {
    const lacking = [...this.#commits.values()].filter(({ parents }) => parents.some((oid) => !this.#commits.has(oid)));
    return lacking.map(({ oid }) => oid);
  }

  #put(oid: Oid, { type, data }: GitObject, deflated: Buffer | undefined): void {
    if (this.#objects.has(oid)) return;
    const packed = deflated ?? deflateSync(data, { level: 1 });
    this.#objects.set(oid, { type, deflated: packed });
    this.#bytes += ENTRY_OVERHEAD + (deflated === undefined ? packed.length : 0);
  }

  #name(tip: Oid): void {
    this.#tips = [...this.#tips.filter((oid) => oid !== tip), tip].slice(-MAX_TIPS);
  }
}
