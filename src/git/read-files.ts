import type { Oid } from "../model/git.ts";
import { loadCommits } from "./commit.ts";
import { assertPlain, lookUp } from "./look-up.ts";
import type { ObjectSource } from "./object.ts";

/**
 * Files at a commit; a path where no file stands has no entry.
 * @throws GitspanError git-path-unsafe for links, submodules and paths that no repository should hold
 */
export async function readFilesAt(
  objects: ObjectSource,
  input: { commit: Oid; paths: readonly string[] },
  signal: AbortSignal,
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  if (input.paths.length === 0) return files;
  const roots = (await loadCommits(objects, [input.commit], signal)).map(({ tree }) => tree);
  const found = await lookUp(objects, { roots, paths: input.paths, options: { contents: true } }, signal);
  for (const [path, [leaf]] of found.leaves) {
    assertPlain(path, leaf);
    const object = leaf?.kind === "file" ? found.objects.get(leaf.oid) : undefined;
    // A copy: whoever changes what he was given must not change the store.
    if (object !== undefined) files.set(path, new Uint8Array(object.data));
  }
  return files;
}
