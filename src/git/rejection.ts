/** What a server's words about a refused push mean. The texts and where they come from: test/golden/git. */
import type { RefusalReason } from "../model/git.ts";

export type Rejection =
  /** Somebody else moved the branch. */
  | { kind: "race" }
  /** It will be refused again. */
  | { kind: "refused"; reason: RefusalReason }
  /** A fault of the server that passes; nothing was written. */
  | { kind: "unavailable" }
  /** The words do not tell: if the branch has moved it is a race, otherwise this. */
  | { kind: "look"; otherwise: Extract<Rejection, { kind: "refused" | "unavailable" }> };

export interface ServerWords {
  /** What follows `ng <ref>` in the status report, or the error of `unpack`. */
  status: string;
  /** What came on the side band: "remote:" lines. */
  remote: string;
}

const refused = (reason: RefusalReason): Extract<Rejection, { kind: "refused" }> => ({ kind: "refused", reason });
const UNAVAILABLE = { kind: "unavailable" } as const;

/** What policies say, in the order in which they count: a hook's answer may name several. */
const POLICIES: readonly [RegExp, RefusalReason][] = [
  [/exceeds maximum allowed size|pack (is )?too large|\b413\b/i, "too-large"],
  [/GH001|file size limit|size limit|data quota|quota exceeded|over quota|read only mode/i, "quota"],
  [/GH003|GH006|GH013|repository rule violations|through a pull request|must use a pull request/i, "protected"],
  [/protected branch|protected ref|deny updating a hidden ref|TF402455/i, "protected"],
  [/no such project|repository not found|not found or/i, "not-found"],
  [/permission denied|denied to|don't have permission|not allowed to access|write access|TF401027/i, "auth"],
];

/** Never cured by trying again, although some of it speaks of locks as a race does. */
const NAME_CONFLICT =
  /exists; cannot create|refname conflict|deletion prohibited|shallow update not allowed|funny refname/i;
/** Git's own lock file: a writer at work, or one that crashed. */
const LOCK_FILE = /unable to create '[^']*\.lock'|\.lock': file exists/i;
const MOVED =
  /is at [0-9a-f]{40} but expected|reference already exists|incorrect old value|old reference value does not match|already been updated by another client|TF401028|not present locally/i;
const PERHAPS_MOVED = /failed to update ref|failed to lock|cannot lock ref|fetch first|stale info|atomic/i;
const BAD_PACK = /fsck error|missing necessary objects|did not receive expected object|bad object|inconsistent pack/i;
const SERVER_FAULT =
  /internal server error|fatal error in|unpacker error|abnormal exit|timed? ?out|temporar|try again|^failure$/im;

/**
 * Classifies by both channels: stock git answers a real race with the status `failed to update ref` and says why only on
 * the side band, while the words of a hook may be anything and must not be taken for git's own.
 */
export function classifyRejection({ status, remote }: ServerWords): Rejection {
  const all = `${status}\n${remote}`;
  if (/hook declined|declined due to|^TF40/i.test(status)) return refused(policyOf(all) ?? "hook-declined");
  if (NAME_CONFLICT.test(all)) return refused("other");
  if (LOCK_FILE.test(all)) return UNAVAILABLE;
  if (MOVED.test(all)) return { kind: "race" };
  const policy = policyOf(all);
  if (policy !== undefined) return refused(policy);
  // git says so itself when it forbids forced updates; ours are never forced, so a moved branch is the likelier cause.
  if (/non-fast-forward/i.test(status)) return { kind: "look", otherwise: refused("protected") };
  if (PERHAPS_MOVED.test(status)) return { kind: "look", otherwise: UNAVAILABLE };
  if (BAD_PACK.test(all)) return refused("other");
  if (SERVER_FAULT.test(all)) return UNAVAILABLE;
  return refused("other");
}

function policyOf(words: string): RefusalReason | undefined {
  return POLICIES.find(([pattern]) => pattern.test(words))?.[1];
}
