/**
 * A Git repository in memory with real ids, for simulations: no time, no chance, no I/O. Files are read and commits are
 * made by the same code as in the real adapter; only where objects and branches live differs.
 */

import type { GitRepository } from "../../src/delivery/ports.ts";
import { parseCommit, serializeCommit } from "../../src/git/commit.ts";
import { changedBetween, lastChangeOf } from "../../src/git/compare.ts";
import { type CommitSource, historyOf, isAncestorOf, rangeOf } from "../../src/git/history.ts";
import { listFilesAt } from "../../src/git/list-files.ts";
import { type GitObject, hashObject, type ObjectSource, type ObjectType } from "../../src/git/object.ts";
import { preparePush } from "../../src/git/prepare.ts";
import { readFilesAt } from "../../src/git/read-files.ts";
import { buildTree, treeEntries } from "../../src/git/tree.ts";
import { GitspanError } from "../../src/model/errors.ts";
import type { CommitInfo, CommitPlan, CommitRange, Oid, PreparedPush, PushResult } from "../../src/model/git.ts";
import type { SeedFile } from "./bare-repository.ts";

const EMPTY_TREE = hashObject("tree", Buffer.alloc(0));
const NO_ID = "0".repeat(40);
const SOMEBODY = { name: "Somebody Else", email: "else@example.com" };

export class MemoryGit implements GitRepository {
  /**
   * Asked at every push, before anything happens: undefined lets it go its usual way. To stall a push, give `unclear` and
   * call `land` later or never; to lose only the answer, call `land` here and give `unclear`.
   */
  onPush: ((prepared: PreparedPush) => PushResult | undefined | Promise<PushResult | undefined>) | undefined;
  /** Milliseconds of the next foreign commit; every commit takes one second. */
  time = 1_700_000_000_000;
  readonly #objects = new Map<Oid, GitObject>();
  readonly #branches = new Map<string, Oid>();
  readonly #source: ObjectSource & CommitSource;

  constructor() {
    this.#put("tree", Buffer.alloc(0));
    this.#source = {
      load: async (wants) => new Map(wants.map(({ oid }) => [oid, this.#get(oid)])),
      keep: (oid, object) => void this.#objects.set(oid, object),
      known: (oid) => this.#commit(oid),
      history: async ({ tip }) => {
        const commits = new Map(this.#history(tip).map((commit) => [commit.oid, commit]));
        return { commits, cut: false };
      },
      has: async (oid) => this.#objects.has(oid),
    };
  }

  /** What somebody else pushes: text to write, `null` to delete. Makes the branch if it is not there. */
  commit(branch: string, files: Readonly<Record<string, SeedFile>>, message: string): Oid {
    const parent = this.#branches.get(branch);
    let tree = (parent === undefined ? undefined : this.#commit(parent)?.tree) ?? EMPTY_TREE;
    const edits = Object.entries(files).map(([path, file]) => ({ parts: path.split("/"), file }));
    tree = this.#write(tree, edits) ?? EMPTY_TREE;
    const plan = { tree, parent: parent ?? NO_ID, message, author: SOMEBODY, committer: SOMEBODY, time: this.time };
    this.time += 1000;
    const text = serializeCommit(plan).toString();
    const oid = this.#put("commit", Buffer.from(parent === undefined ? text.replace(`parent ${NO_ID}\n`, "") : text));
    this.#branches.set(branch, oid);
    return oid;
  }

  /** Every commit of the branch, newest first, along first parents. */
  log(branch: string): CommitInfo[] {
    const tip = this.#branches.get(branch);
    return tip === undefined ? [] : this.#history(tip);
  }

  /** The file's text on the branch now. */
  show(branch: string, path: string): string | undefined {
    const oid = this.#find(branch, path.split("/"));
    return oid === undefined ? undefined : this.#get(oid).data.toString();
  }

  /** The file's text at any commit. */
  textAt(commit: Oid, path: string): string | undefined {
    const oid = this.#below(this.#commit(commit)?.tree, path.split("/"));
    return oid === undefined ? undefined : this.#get(oid).data.toString();
  }

  /** `mode name` of everything in a directory, in the tree's own order; "" is the top one. */
  list(branch: string, directory: string): string[] {
    const oid = this.#find(branch, directory === "" ? [] : directory.split("/"));
    return oid === undefined ? [] : this.#entries(oid).map(({ mode, name }) => `${mode.padStart(6, "0")} ${name}`);
  }

  /** Points the branch at any commit, as a forced push of somebody else does. */
  reset(branch: string, commit: Oid): void {
    this.#branches.set(branch, commit);
  }

  /** Loses an object for good, as a clean-up after a forced push does. */
  forget(oid: Oid): void {
    this.#objects.delete(oid);
  }

  /** The compare-and-swap itself: false when the branch is not at the push's base any more. */
  land(prepared: PreparedPush): boolean {
    if (this.#branches.get(prepared.branch) !== prepared.base) return false;
    this.#branches.set(prepared.branch, prepared.head);
    return true;
  }

  async tip(branch: string, signal: AbortSignal): Promise<Oid> {
    signal.throwIfAborted();
    const tip = this.#branches.get(branch);
    if (tip === undefined) throw new GitspanError("git-branch-missing", `there is no branch ${branch}`);
    return tip;
  }

  async readFiles(commit: Oid, paths: readonly string[], signal: AbortSignal): Promise<Map<string, Uint8Array>> {
    signal.throwIfAborted();
    return readFilesAt(this.#source, { commit, paths }, signal);
  }

  async listFiles(commit: Oid, folders: readonly string[], signal: AbortSignal): Promise<Map<string, string[]>> {
    signal.throwIfAborted();
    return listFilesAt(this.#source, { commit, folders }, signal);
  }

  async changedPaths(from: Oid, to: Oid, paths: readonly string[], signal: AbortSignal): Promise<string[]> {
    signal.throwIfAborted();
    return changedBetween({ objects: this.#source }, { from, to, paths }, signal);
  }

  async range(base: Oid, tip: Oid, signal: AbortSignal): Promise<CommitRange> {
    signal.throwIfAborted();
    const hidden = new Set(this.#commit(base) === undefined ? [] : this.#history(base).map(({ oid }) => oid));
    const { commits, connected } = await rangeOf(this.#source, base, tip, signal);
    return { commits: commits.filter(({ oid }) => !hidden.has(oid)), connected };
  }

  async history(tip: Oid, signal: AbortSignal): Promise<CommitInfo[]> {
    signal.throwIfAborted();
    return historyOf(this.#source, tip, signal);
  }

  async isAncestor(ancestor: Oid, commit: Oid, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    return isAncestorOf(this.#source, ancestor, commit, signal);
  }

  async lastChange(tip: Oid, paths: readonly string[], signal: AbortSignal): Promise<CommitInfo | undefined> {
    signal.throwIfAborted();
    return lastChangeOf({ objects: this.#source, commits: this.#source }, { tip, paths }, signal);
  }

  async prepare(branch: string, base: Oid, plans: readonly CommitPlan[], signal: AbortSignal): Promise<PreparedPush> {
    signal.throwIfAborted();
    return preparePush(this.#source, { branch, base, plans }, signal);
  }

  async push(prepared: PreparedPush, signal: AbortSignal): Promise<PushResult> {
    signal.throwIfAborted();
    const forced = await this.onPush?.(prepared);
    if (forced !== undefined) return forced;
    if (this.land(prepared)) return { kind: "landed" };
    const now = this.#branches.get(prepared.branch);
    if (now === prepared.head) return { kind: "landed" };
    return { kind: "lost-race", message: `the branch is at ${now ?? "nothing"} but expected ${prepared.base}` };
  }

  #put(type: ObjectType, data: Buffer): Oid {
    const oid = hashObject(type, data);
    this.#objects.set(oid, { type, data });
    return oid;
  }

  #get(oid: Oid): GitObject {
    const object = this.#objects.get(oid);
    if (object === undefined) throw new GitspanError("git-not-found", `there is no object ${oid}`);
    return object;
  }

  #commit(oid: Oid): CommitInfo | undefined {
    const object = this.#objects.get(oid);
    return object?.type === "commit" ? parseCommit(oid, object.data) : undefined;
  }

  #history(tip: Oid): CommitInfo[] {
    const commits: CommitInfo[] = [];
    for (let next: Oid | undefined = tip; next !== undefined; ) {
      const commit: CommitInfo | undefined = this.#commit(next);
      if (commit === undefined) throw new GitspanError("git-not-found", `there is no commit ${next}`);
      commits.push(commit);
      next = commit.parents[0];
    }
    return commits;
  }

  #find(branch: string, parts: readonly string[]): Oid | undefined {
    return this.#below(this.#commit(this.#branches.get(branch) ?? "")?.tree, parts);
  }

  #below(tree: Oid | undefined, parts: readonly string[]): Oid | undefined {
    let oid = tree;
    for (const part of parts) {
      oid = oid === undefined ? undefined : this.#entries(oid).find(({ name }) => name === part)?.oid;
    }
    return oid;
  }

  #entries(tree: Oid): { mode: string; name: string; oid: Oid }[] {
    return treeEntries(this.#get(tree).data).map(({ mode, name, oid }) => ({ mode, name: name.toString(), oid }));
  }

  /** Unlike a delivery's, a foreign commit may make and remove directories; undefined when nothing is left. */
  #write(tree: Oid, edits: readonly { parts: string[]; file: SeedFile }[]): Oid | undefined {
    const entries = new Map(this.#entries(tree).map((entry) => [entry.name, entry]));
    for (const [name, group] of Map.groupBy(edits, ({ parts }) => parts[0] ?? "")) {
      const old = entries.get(name);
      entries.delete(name);
      const inside = group.filter(({ parts }) => parts.length > 1);
      const file = group.find(({ parts }) => parts.length === 1)?.file ?? null;
      if (inside.length > 0) {
        const inner = inside.map((edit) => ({ parts: edit.parts.slice(1), file: edit.file }));
        const oid = this.#write(old?.mode === "40000" ? old.oid : EMPTY_TREE, inner);
        if (oid !== undefined) entries.set(name, { mode: "40000", name, oid });
      } else if (file !== null) {
        const { content, mode } = typeof file === "string" ? { content: file, mode: "100644" } : file;
        const oid = mode === "160000" ? Buffer.from(content).toString() : this.#put("blob", Buffer.from(content));
        entries.set(name, { mode, name, oid });
      }
    }
    return entries.size === 0 ? undefined : this.#put("tree", buildTree([...entries.values()]));
  }
}
