/** An object id: 40 hexadecimal digits (SHA-1 repositories). */
export type Oid = string;

export interface CommitInfo {
  oid: Oid;
  tree: Oid;
  parents: Oid[];
  /** The whole message. */
  message: string;
  author: string;
  /** Committer date, milliseconds since the epoch. */
  committedAt: number;
}

export interface Identity {
  name: string;
  email: string;
}

/** A commit to be made on top of the one before it. */
export interface CommitPlan {
  /** Path to the file's whole new content; a file keeps the mode it has. */
  files: ReadonlyMap<string, Uint8Array>;
  message: string;
  author: Identity;
  committer: Identity;
  /** Milliseconds since the epoch. */
  time: number;
}

/** Chained commits ready to be sent: their ids are known before anything is. */
export interface PreparedPush {
  branch: string;
  base: Oid;
  head: Oid;
  /** One per plan, oldest first. */
  commits: Oid[];
  pack: Uint8Array;
}

export type PushResult =
  /** The server said ok: the branch is at head. The message is what it had to say besides. */
  | { kind: "landed"; message?: string }
  /** The branch had moved: nothing was written. */
  | { kind: "lost-race"; message: string }
  /** The server said no, and will say so again: nothing was written. */
  | { kind: "refused"; reason: RefusalReason; message: string }
  /** The server said no for a reason that passes, and nothing was written. */
  | { kind: "unavailable"; message: string; retryAfterMs?: number }
  /** No clear answer: it may have landed, or may still land. */
  | { kind: "unclear"; message: string };

export type RefusalReason = "protected" | "auth" | "not-found" | "hook-declined" | "quota" | "too-large" | "other";

/** The commits of `tip` that `base` does not have. */
export interface CommitRange {
  /** Newest first. */
  commits: CommitInfo[];
  /** False when base is not an ancestor of tip (or lies beyond the limit). */
  connected: boolean;
}
