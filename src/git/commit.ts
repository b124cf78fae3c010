import { GitspanError } from "../model/errors.ts";
import type { CommitInfo, Identity, Oid } from "../model/git.ts";
import type { ObjectSource } from "./object.ts";

/** Commits by id, in the order of the ids. */
export async function loadCommits(
  objects: ObjectSource,
  oids: readonly Oid[],
  signal: AbortSignal,
): Promise<CommitInfo[]> {
  const wants = oids.map((oid) => ({ oid, type: "commit" }) as const);
  const loaded = await objects.load(wants, signal);
  return oids.flatMap((oid) => {
    const object = loaded.get(oid);
    return object === undefined ? [] : [parseCommit(oid, object.data)];
  });
}

export function parseCommit(oid: Oid, data: Buffer): CommitInfo {
  const end = data.indexOf("\n\n");
  const head = data.toString("utf8", 0, end < 0 ? data.length : end);
  const parents: Oid[] = [];
  let tree = "";
  let author = "";
  let committedAt = 0;
  for (const line of head.split("\n")) {
    const space = line.indexOf(" ");
    const [key, value] = [line.slice(0, space), line.slice(space + 1)];
    if (key === "tree") tree ||= value;
    else if (key === "parent") parents.push(value);
    else if (key === "author") author ||= value.replace(/ -?\d+ [+-]\d{4}$/, "");
    else if (key === "committer") committedAt ||= secondsOf(value) * 1000;
  }
  if (tree === "") throw new GitspanError("git-protocol", `commit ${oid} is damaged: it names no tree`);
  return { oid, tree, parents, author, committedAt, message: end < 0 ? "" : data.toString("utf8", end + 2) };
}

function secondsOf(signature: string): number {
  return Number(/ (-?\d+) [+-]\d{4}$/.exec(signature)?.[1] ?? 0);
}

export interface NewCommit {
  tree: Oid;
  parent: Oid;
  message: string;
  author: Identity;
  committer: Identity;
  /** Milliseconds since the epoch; Git keeps whole seconds. */
  time: number;
}

/** Signs bytes; gives the signature in its armour. */
export type Sign = (bytes: Uint8Array) => string;

/** The bytes of a commit, as `git fsck --strict` wants them. */
export function serializeCommit(commit: NewCommit, sign?: Sign): Buffer {
  const time = `${Math.floor(commit.time / 1000)} +0000`;
  const message = `${commit.message.replaceAll("\0", "").trimEnd()}\n`;
  const head =
    `tree ${commit.tree}\nparent ${commit.parent}\nauthor ${identityOf(commit.author)} ${time}\n` +
    `committer ${identityOf(commit.committer)} ${time}\n`;
  const unsigned = Buffer.from(`${head}\n${message}`);
  if (sign === undefined) return unsigned;
  // What is signed is the commit without its signature; a header goes on in lines that begin with a space.
  return Buffer.from(`${head}gpgsig ${sign(unsigned).replaceAll("\n", "\n ")}\n\n${message}`);
}

/** Angle brackets and control characters would end the name or the address early. */
function identityOf(identity: Identity): string {
  const clean = (text: string): string => text.replaceAll(/[\p{Cc}<>]/gu, "").trim();
  return `${clean(identity.name) || "unknown"} <${clean(identity.email)}>`;
}
