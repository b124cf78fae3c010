import { GitspanError } from "../model/errors.ts";
import type { CommitPlan, Oid, PreparedPush } from "../model/git.ts";
import { loadCommits, type Sign, serializeCommit } from "./commit.ts";
import { assertPlain, type LookUp, lookUp } from "./look-up.ts";
import { type GitObject, hashObject, type ObjectSource, type ObjectType } from "./object.ts";
import { writePack } from "./pack-write.ts";
import { splitPath } from "./path.ts";
import { findEntry, putEntry } from "./tree.ts";

/** New content by name; directories nest. */
type Edits = Map<string, Uint8Array | Edits>;

/**
 * Builds chained commits on `base`, one per plan, and the pack that holds what they add; sends nothing. Needs only the
 * trees on the way: what stands in the files now does not matter.
 * @throws GitspanError git-path-missing when a file's directory is not there, git-path-unsafe for links, submodules and
 * paths that no repository should hold, and those of the object source
 */
export async function preparePush(
  objects: ObjectSource,
  input: { branch: string; base: Oid; plans: readonly CommitPlan[]; sign?: Sign | undefined },
  signal: AbortSignal,
): Promise<PreparedPush> {
  const { branch, base, plans } = input;
  const first = (await loadCommits(objects, [base], signal))[0];
  if (first === undefined || plans.length === 0) throw new GitspanError("internal", "there is nothing to commit");
  const paths = new Set(plans.flatMap((plan) => [...plan.files.keys()]));
  const before = await lookUp(objects, { roots: [first.tree], paths }, signal);
  for (const path of paths) assertWritable(path, first.tree, before);

  const workshop = new Workshop(before.objects);
  const commits: Oid[] = [];
  let [parent, tree] = [base, first.tree];
  for (const plan of plans) {
    tree = workshop.edit(tree, editsOf(plan.files));
    const { message, author, committer, time } = plan;
    parent = workshop.add("commit", serializeCommit({ tree, parent, message, author, committer, time }, input.sign));
    commits.push(parent);
  }
  const fresh = [...workshop.fresh];
  for (const [oid, object] of fresh) objects.keep(oid, object);
  return { branch, base, head: parent, commits, pack: writePack(fresh.map(([, object]) => object)) };
}

/** A file may be new, its directory may not: a misspelt path would otherwise grow a directory of its own. */
function assertWritable(path: string, root: Oid, before: LookUp): void {
  const leaf = before.leaves.get(path)?.[0];
  assertPlain(path, leaf);
  if (leaf?.kind === "directory") throw missing(path, "it is a directory");
  if (leaf !== undefined) return;
  let tree = before.objects.get(root);
  for (const part of splitPath(path).slice(0, -1)) {
    const entry = tree === undefined ? undefined : findEntry(tree.data, part);
    tree = entry === undefined ? undefined : before.objects.get(entry.oid);
    if (tree === undefined) throw missing(path, `there is no directory "${part}" on the way`);
  }
}

function missing(path: string, why: string): GitspanError {
  return new GitspanError("git-path-missing", `${path} cannot be written: ${why}`, {
    at: { file: path, line: 1, column: 1 },
    hint: "files are written only into directories that exist; check the path",
  });
}

function editsOf(files: ReadonlyMap<string, Uint8Array>): Edits {
  const root: Edits = new Map();
  for (const [path, content] of files) {
    const parts = splitPath(path);
    let edits = root;
    for (const part of parts.slice(0, -1)) {
      const known = edits.get(part);
      const inner: Edits = known instanceof Map ? known : new Map();
      edits.set(part, inner);
      edits = inner;
    }
    edits.set(parts.at(-1) ?? "", content);
  }
  return root;
}

/** Makes objects out of others and remembers which are new. */
class Workshop {
  readonly #known: ReadonlyMap<Oid, GitObject>;
  readonly fresh = new Map<Oid, GitObject>();

  constructor(known: ReadonlyMap<Oid, GitObject>) {
    this.#known = known;
  }

  add(type: ObjectType, data: Buffer): Oid {
    const oid = hashObject(type, data);
    if (!this.#known.has(oid)) this.fresh.set(oid, { type, data });
    return oid;
  }

  /** The id of the tree with the edits in it. */
  edit(oid: Oid, edits: Edits): Oid {
    const object = this.fresh.get(oid) ?? this.#known.get(oid);
    if (object === undefined) throw new GitspanError("internal", `tree ${oid} was not loaded`);
    let tree = object.data;
    for (const [name, edit] of edits) {
      if (edit instanceof Map) {
        const inner = findEntry(tree, name);
        if (inner === undefined) throw new GitspanError("internal", `directory ${name} was not looked up`);
        tree = putEntry(tree, name, this.edit(inner.oid, edit));
      } else {
        tree = putEntry(tree, name, this.add("blob", Buffer.from(edit)));
      }
    }
    return this.add("tree", tree);
  }
}
