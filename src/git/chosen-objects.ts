import type { CommitInfo, Oid } from "../model/git.ts";
import { loadCommits } from "./commit.ts";
import { RefusedWant } from "./fetch-answer.ts";
import type { CommitSource } from "./history.ts";
import type { LazyObjects } from "./lazy-objects.ts";
import type { GitObject, ObjectSource, Want } from "./object.ts";
import type { Remote } from "./remote.ts";
import type { RemoteCommits } from "./remote-commits.ts";
import type { SnapshotObjects } from "./snapshot-objects.ts";

interface Way {
  objects: ObjectSource;
  commits: CommitSource;
}

interface Ways {
  remote: Remote;
  lazy: { objects: LazyObjects; commits: RemoteCommits };
  snapshot: SnapshotObjects;
}

/**
 * Objects and commits in the way that the server allows: one by one where it gives out single objects, otherwise whole
 * commits. What a server says of itself decides, unless it then refuses what it had promised.
 */
export class ChosenObjects implements ObjectSource, CommitSource {
  readonly #remote: Remote;
  readonly #lazy: Ways["lazy"];
  readonly #snapshot: Way;
  #now: Way;
  #broken = false;

  constructor({ remote, lazy, snapshot }: Ways) {
    this.#remote = remote;
    this.#lazy = lazy;
    this.#snapshot = { objects: snapshot, commits: snapshot };
    this.#now = lazy;
  }

  keep(oid: Oid, object: GitObject): void {
    this.#now.objects.keep(oid, object);
  }

  /** The server has named this commit as the tip of a branch. */
  named(commit: Oid): void {
    this.#lazy.objects.named(commit);
  }

  known(oid: Oid): CommitInfo | undefined {
    return this.#now.commits.known(oid);
  }

  load(wants: readonly Want[], signal: AbortSignal): Promise<Map<Oid, GitObject>> {
    return this.#ask(({ objects }) => objects.load(wants, signal), signal);
  }

  history(
    input: { tip: Oid; except?: Oid; depth: number },
    signal: AbortSignal,
  ): Promise<{ commits: Map<Oid, CommitInfo>; cut: boolean }> {
    return this.#ask(({ commits }) => commits.history(input, signal), signal);
  }

  has(commit: Oid, nearby: Oid, signal: AbortSignal): Promise<boolean> {
    return this.#ask(({ commits }) => commits.has(commit, nearby, signal), signal);
  }

  async #ask<T>(question: (way: Way) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { single } = await this.#remote.abilities(signal);
    const way = single && !this.#broken ? this.#lazy : this.#snapshot;
    this.#now = way;
    try {
      return await question(way);
    } catch (error) {
      if (way !== this.#lazy || !(error instanceof RefusedWant) || (await this.#servesById(signal))) throw error;
      this.#broken = true;
      this.#now = this.#snapshot;
      return question(this.#snapshot);
    }
  }

  /** An object that is refused may be missing; that none is given out by id shows at one that is there for certain. */
  async #servesById(signal: AbortSignal): Promise<boolean> {
    const { objects } = this.#lazy;
    if (objects.proven) return true;
    const [tip] = await this.#remote.tips(signal);
    if (tip === undefined) return true;
    try {
      const [commit] = await loadCommits(objects, [tip], signal);
      if (commit !== undefined) await objects.load([{ oid: commit.tree, type: "tree" }], signal);
      return true;
    } catch (error) {
      if (error instanceof RefusedWant) return false;
      throw error;
    }
  }
}
