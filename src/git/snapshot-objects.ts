import { GitspanError, isGitspanError } from "../model/errors.ts";
import type { CommitInfo, Oid } from "../model/git.ts";
import { parseCommit } from "./commit.ts";
import { RefusedWant } from "./fetch-answer.ts";
import { between, type CommitSource, generationsOf, without } from "./history.ts";
import { assertTypes, type GitObject, type ObjectSource, type Want } from "./object.ts";
import type { ObjectStore } from "./object-store.ts";
import { type PackLimits, unpack } from "./pack-read.ts";
import type { Remote } from "./remote.ts";
import { Snapshot } from "./snapshot.ts";
import { Turns } from "./waiting.ts";

/**
 * How many generations a later fetch asks for. Enough that what is here is reached, which keeps the answer small on every
 * server, and that the search for the last change of a file finds all it looks at; little enough that the merge of an old
 * branch does not bring the whole history (docs/adr/0006).
 */
const STEP = 51;
/** Of the limit; without room for what comes later everything would soon have to be fetched again. */
const FRESH_SHARE = 0.75;
/** How far back a commit is looked for that the server does not give out by its id. */
const SEARCH_DEPTH = 1000;
/** Differences of histories that are remembered; they never change. */
const MAX_DIFFERENCES = 16;

interface Found {
  commits: Map<Oid, CommitInfo>;
  cut: boolean;
}

/**
 * Objects and commits of a server that gives out no single objects: the files of one commit are fetched whole, once, and
 * after that only what is new.
 */
export class SnapshotObjects implements ObjectSource, CommitSource {
  readonly #remote: Remote;
  readonly #store: ObjectStore;
  readonly #limits: PackLimits & { snapshotBytes: number };
  readonly #turns = new Turns();
  readonly #differences = new Map<string, Found>();
  #snapshot = new Snapshot();

  /** @param store of inflated objects, so that those in use need not be inflated again */
  constructor(remote: Remote, store: ObjectStore, limits: PackLimits & { snapshotBytes: number }) {
    this.#remote = remote;
    this.#store = store;
    this.#limits = limits;
  }

  keep(oid: Oid, object: GitObject): void {
    this.#snapshot.keep(oid, object);
  }

  known(oid: Oid): CommitInfo | undefined {
    return this.#snapshot.commit(oid);
  }

  async load(wants: readonly Want[], signal: AbortSignal): Promise<Map<Oid, GitObject>> {
    const commits = wants.filter(({ type }) => type === "commit");
    await this.#bring(
      commits.map(({ oid }) => oid),
      signal,
    );
    const found = new Map<Oid, GitObject>();
    const get = (oid: Oid): GitObject | undefined => this.#store.get(oid) ?? this.#snapshot.object(oid);
    // Trees and files of a commit that was read in another way, or before the snapshot was made new.
    if (wants.some(({ oid }) => get(oid) === undefined)) {
      for (const tip of await this.#remote.tips(signal)) await this.#deepen(tip, STEP, signal);
    }
    for (const { oid } of wants) {
      const object = get(oid);
      if (object === undefined) throw renewed(oid);
      this.#store.put(oid, object);
      found.set(oid, object);
    }
    assertTypes(wants, found);
    return found;
  }

  async history(input: { tip: Oid; except?: Oid; depth: number }, signal: AbortSignal): Promise<Found> {
    const { tip, except, depth } = input;
    if (except === undefined) {
      await this.#bring([tip], signal);
      await this.#deepen(tip, depth, signal);
      return generationsOf(tip, depth, (oid) => this.known(oid));
    }
    // Beside a commit that is here a near one costs little, and is wanted whole soon.
    if (this.known(except) !== undefined) await this.#bring([tip], signal);
    const near = between(except, tip, (oid) => this.known(oid));
    if (near !== undefined) return near;
    if (await this.has(except, tip, signal)) return this.#difference(tip, except, depth, signal);
    // Nothing is fetched for the sake of a commit that the server has never seen.
    return generationsOf(tip, depth, (oid) => this.known(oid));
  }

  async has(commit: Oid, nearby: Oid, signal: AbortSignal): Promise<boolean> {
    if (this.known(commit) !== undefined) return true;
    const ask = async (want: Oid): Promise<boolean> =>
      (await this.#remote.fetch({ wants: [want], haves: [commit], negotiate: "ask" }, signal)).common === true;
    try {
      return await ask(nearby);
    } catch (error) {
      // Any want will do to ask about a have.
      const tip = error instanceof RefusedWant ? (await this.#remote.tips(signal))[0] : undefined;
      if (tip === undefined || tip === nearby) throw error;
      return ask(tip);
    }
  }

  /** The commits of one history without another, told by the server; whatever comes with them is of no use here. */
  async #difference(tip: Oid, except: Oid, depth: number, signal: AbortSignal): Promise<Found> {
    const key = `${tip} ${except} ${depth}`;
    const known = this.#differences.get(key);
    if (known !== undefined) return known;
    let found: Found;
    try {
      const { pack, shallow } = await this.#remote.fetch({ wants: [tip], haves: [except], depth }, signal);
      const objects = unpack(pack, this.#limits, (oid) => this.#snapshot.object(oid));
      const commits = objects.flatMap(({ oid, object }) =>
        object.type === "commit" ? [[oid, parseCommit(oid, object.data)] as const] : [],
      );
      found = { commits: new Map(commits), cut: shallow.length > 0 };
    } catch (error) {
      if (!(error instanceof RefusedWant)) throw error;
      await this.#bring([tip], signal);
      const get = (oid: Oid): CommitInfo | undefined => this.known(oid);
      return without(generationsOf(tip, depth, get), generationsOf(except, Number.POSITIVE_INFINITY, get));
    }
    this.#differences.set(key, found);
    const [oldest] = this.#differences.keys();
    if (this.#differences.size > MAX_DIFFERENCES && oldest !== undefined) this.#differences.delete(oldest);
    return found;
  }

  /** Makes sure that the commits are here with all that hangs below them. */
  async #bring(oids: readonly Oid[], signal: AbortSignal): Promise<void> {
    const missing = (): Oid[] => oids.filter((oid) => this.known(oid) === undefined);
    if (missing().length === 0) return;
    await this.#turns.take(async () => {
      const wants = missing();
      if (wants.length === 0) return;
      try {
        await this.#fetchBounded(wants, signal);
      } catch (error) {
        if (!(error instanceof RefusedWant)) throw error;
        await this.#search(error, missing, signal);
      }
    }, signal);
  }

  async #fetchBounded(wants: readonly Oid[], signal: AbortSignal): Promise<void> {
    const { snapshotBytes } = this.#limits;
    if (!this.#snapshot.empty) {
      try {
        await this.#fetch(wants, STEP, signal);
        if (this.#snapshot.bytes <= snapshotBytes) return;
      } catch (error) {
        if (!isGitspanError(error, "git-too-large")) throw error;
      }
      // Too much has come together over time: from here on again with nothing but what is wanted.
      this.#snapshot = new Snapshot();
    }
    try {
      await this.#fetch(wants, 1, signal);
    } catch (error) {
      throw isGitspanError(error, "git-too-large") ? this.#tooLarge(error) : error;
    }
    if (this.#snapshot.bytes <= snapshotBytes * FRESH_SHARE) return;
    this.#snapshot = new Snapshot();
    throw this.#tooLarge();
  }

  /** Looks for commits in the histories of the branches, where the server gives out only their tips. */
  async #search(refused: RefusedWant, missing: () => readonly Oid[], signal: AbortSignal): Promise<void> {
    const tips = await this.#remote.tips(signal);
    if (tips.length === 0) throw refused;
    for (const depth of [STEP, SEARCH_DEPTH]) {
      await this.#fetch(tips, depth, signal);
      if (missing().length === 0) return;
    }
    const histories = tips.map((tip) => generationsOf(tip, SEARCH_DEPTH, (oid) => this.known(oid)));
    const [oid = ""] = missing();
    if (histories.every(({ cut }) => !cut)) {
      throw new GitspanError("git-not-found", `${oid} is not in the history of the branches that are in use`, {
        hint: "it was removed by a force push, or is on another branch; this server gives out only what branches hold",
      });
    }
    throw new GitspanError(
      "git-unsupported",
      `${oid} is not among the last ${SEARCH_DEPTH} commits, and ${this.#remote.place} gives out no commits by their ids`,
      { hint: "let the server give out objects by their ids: git config uploadpack.allowAnySHA1InWant true" },
    );
  }

  async #deepen(tip: Oid, depth: number, signal: AbortSignal): Promise<void> {
    const enough = (): boolean => !generationsOf(tip, depth, (oid) => this.known(oid)).lacking;
    if (enough()) return;
    await this.#turns.take(async () => {
      if (!enough()) await this.#fetch([tip], depth, signal);
    }, signal);
  }

  async #fetch(wants: readonly Oid[], depth: number, signal: AbortSignal): Promise<void> {
    const snapshot = this.#snapshot;
    const [haves, shallow] = [snapshot.tips(), snapshot.boundary()];
    const request = { wants, haves, shallow, depth, thin: haves.length > 0 };
    const { pack } = await this.#remote.fetch(request, signal);
    snapshot.add(
      wants,
      unpack(pack, this.#limits, (oid) => snapshot.object(oid)),
      pack,
    );
  }

  #tooLarge(cause?: GitspanError): GitspanError {
    const why = `${this.#remote.place} gives out no single objects, and a whole commit of it is larger than the limits`;
    return new GitspanError("git-too-large", why, {
      hint: "switch partial clones on at the server (git config uploadpack.allowFilter true)",
      cause,
    });
  }
}

/** Another lane made the snapshot new between two questions about one commit. */
function renewed(oid: Oid): GitspanError {
  return new GitspanError("git-unreachable", `object ${oid} left the memory while it was in use`, {
    hint: "nothing: it is fetched again",
    transient: true,
  });
}
