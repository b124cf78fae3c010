import { GitspanError } from "../model/errors.ts";

/**
 * The full name of a branch; what git's check-ref-format refuses is refused before it reaches the wire.
 * @throws GitspanError git-branch-missing
 */
export function refOf(branch: string): string {
  const bad =
    branch === "" ||
    /[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|^[/.-]|\/\.|[/.]$|\.lock(\/|$)/u.test(branch) ||
    Buffer.byteLength(branch) > 1000;
  if (bad) {
    throw new GitspanError("git-branch-missing", `"${branch.slice(0, 100)}" is not a name that a branch can have`, {
      hint: "write the branch as in `main`, without refs/heads/",
    });
  }
  return `refs/heads/${branch}`;
}
