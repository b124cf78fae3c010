import { createHash } from "node:crypto";
import { GitspanError } from "../model/errors.ts";
import type { Oid } from "../model/git.ts";

export type ObjectType = "commit" | "tree" | "blob" | "tag";

export interface GitObject {
  type: ObjectType;
  data: Buffer;
}

/** An object that may have to be fetched, and what it is expected to be. */
export interface Want {
  oid: Oid;
  type: "commit" | "tree" | "blob";
}

/** Where objects come from: the remote with a cache, or memory. */
export interface ObjectSource {
  /**
   * All of the wanted objects, keyed by id.
   * @throws GitspanError git-not-found when the repository lacks one, git-unreachable and others of the transport
   */
  load(wants: readonly Want[], signal: AbortSignal): Promise<Map<Oid, GitObject>>;
  /** Keeps an object that was made here. */
  keep(oid: Oid, object: GitObject): void;
}

/** The id of an object: SHA-1 over its type, length and content. */
export function hashObject(type: ObjectType, data: Uint8Array): Oid {
  return createHash("sha1").update(`${type} ${data.length}\0`).update(data).digest("hex");
}

export function isOid(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** @throws GitspanError git-protocol when an object is missing or something else than it was taken for */
export function assertTypes(wants: readonly Want[], found: ReadonlyMap<Oid, GitObject>): void {
  for (const { oid, type } of wants) {
    const actual = found.get(oid)?.type ?? "nothing";
    if (actual !== type) throw new GitspanError("git-protocol", `object ${oid} is a ${actual}, not a ${type}`);
  }
}
