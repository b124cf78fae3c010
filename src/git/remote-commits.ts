import type { CommitInfo, Oid } from "../model/git.ts";
import { parseCommit } from "./commit.ts";
import { between, type CommitSource } from "./history.ts";
import type { LazyObjects } from "./lazy-objects.ts";
import type { GitObject } from "./object.ts";
import type { ObjectStore } from "./object-store.ts";
import type { Remote } from "./remote.ts";

/** Commits of the remote, without a single tree; what was fetched once is known from then on. */
export class RemoteCommits implements CommitSource {
  readonly #remote: Remote;
  readonly #store: ObjectStore;
  readonly #objects: LazyObjects;

  constructor(remote: Remote, store: ObjectStore, objects: LazyObjects) {
    this.#remote = remote;
    this.#store = store;
    this.#objects = objects;
  }

  known(oid: Oid): CommitInfo | undefined {
    return asCommit(oid, this.#store.get(oid));
  }

  async history(
    input: { tip: Oid; except?: Oid; depth: number },
    signal: AbortSignal,
  ): Promise<{ commits: Map<Oid, CommitInfo>; cut: boolean }> {
    const { tip, except, depth } = input;
    if (except !== undefined && this.#objects.isLatest(except)) {
      // The trees of new commits will be wanted next, and with them everything comes at once.
      await this.#objects.catchUp(tip, signal);
      const near = between(except, tip, (oid) => this.known(oid));
      if (near !== undefined) return near;
    }
    const haves = except === undefined ? [] : [except];
    const request = { wants: [tip], haves, filter: "tree:0", depth } as const;
    const { pack, shallow } = await this.#remote.fetch(request, signal);
    const commits = new Map<Oid, CommitInfo>();
    for (const [oid, object] of this.#objects.read(pack)) {
      const commit = asCommit(oid, object);
      if (commit !== undefined) commits.set(oid, commit);
    }
    return { commits, cut: shallow.length > 0 };
  }

  async has(commit: Oid, nearby: Oid, signal: AbortSignal): Promise<boolean> {
    // Without "done" the server first says which of our commits it knows, and usually nothing more.
    const request = { wants: [nearby], haves: [commit], filter: "tree:0", depth: 1, negotiate: "ask" } as const;
    return (await this.#remote.fetch(request, signal)).common === true;
  }
}

function asCommit(oid: Oid, object: GitObject | undefined): CommitInfo | undefined {
  return object?.type === "commit" ? parseCommit(oid, object.data) : undefined;
}
