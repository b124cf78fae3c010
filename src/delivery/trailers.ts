import type { CommitInfo } from "../model/git.ts";

/** The delivery that a commit of ours says it carries. */
export function deliveryOfCommit({ message }: Pick<CommitInfo, "message">): string | undefined {
  return trailer(message, "Gitspan-Delivery");
}

/** `git revert` writes this sentence, once per commit; people who write it by hand mean the same. */
export function revertedBy({ message }: Pick<CommitInfo, "message">): string[] {
  return [...message.matchAll(/This reverts commit ([0-9a-f]{7,40})/g)].map(([, oid]) => oid ?? "");
}

/** Of the last paragraph only, where Git looks for trailers: a quoted message in the body is not ours to say. */
function trailer(message: string, name: string): string | undefined {
  const last = message.trimEnd().split("\n\n").at(-1) ?? "";
  const line = last.split("\n").find((text) => text.startsWith(`${name}: `));
  return line?.slice(name.length + 2).trim();
}
