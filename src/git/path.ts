import { GitspanError } from "../model/errors.ts";

/**
 * The components of a path inside a repository.
 * @throws GitspanError git-path-unsafe for absolute paths, empty, `.`, `..` and `.git` components (also as Windows and
 * macOS would read them: git's own fsck refuses `.GIT` and `git~1`)
 */
export function splitPath(path: string): string[] {
  const parts = path.split("/");
  for (const part of parts) {
    const unsafe =
      part === "" || part === "." || part === ".." || part.includes("\0") || /^(\.git|git~1)[. ]*$/i.test(part);
    if (unsafe) throw unsafePath(path, `"${part}" is not allowed in a path`);
  }
  return parts;
}

/** Names the path in `at.file`, so that a caller with many paths can leave this one out. */
export function unsafePath(path: string, why: string): GitspanError {
  return new GitspanError("git-path-unsafe", `${path}: ${why}`, {
    at: { file: path, line: 1, column: 1 },
    hint: "write a plain path inside the repository that leads through real directories",
  });
}
