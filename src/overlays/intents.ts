import type { ImageValue } from "../model/delivery.ts";
import { GitspanError } from "../model/errors.ts";
import { type Digest, isDigest, isRepository, isTag } from "../model/image.ts";
import type { SelectorStep } from "../model/selector.ts";
import type { DigestPolicy } from "../model/target.ts";

/** "This image is to run with these values", wherever and however the file writes it. */
export interface ImageIntent {
  /** Registry and path, as the entry's `name` or `newName` has it. */
  repository: string;
  newName?: string;
  newTag?: string;
  digest?: Digest;
}

/** Sets exactly these fields of one entry and leaves the others as they are. */
export interface SetImageIntent {
  op: "set-image";
  /** The entry's `name`. */
  name: string;
  /** The entry's `newName` as it stands, where several entries have the name. */
  newName?: string | null;
  /** The entry's place in the list, where nothing else tells it apart. */
  index?: number;
  fields: Partial<Record<"newName" | "newTag" | "digest", { new: string }>>;
}

/** Moves every remote URL of a kustomization that is meant, and of it only the `ref`. */
export interface SetRefIntent {
  op: "set-ref";
  /** `resources`, `components` or `bases`; absent: all of them. */
  section?: string;
  /** The URL with its `ref` as it stands; without a query, a repository or a path in it: all its URLs are meant. */
  url?: string;
  /** The `ref` as it stands. */
  oldRef?: string;
  newRef: string;
}

/** Sets one value, wherever it is. */
export interface SetValueIntent {
  op: "set-value";
  /** Which document, from 0; absent: the only one that has the path. */
  doc?: number;
  path: readonly SelectorStep[];
  new: string;
}

/** Moves every place of one image that the file has. */
export interface BumpIntent {
  op: "bump";
  image: string;
  newName?: string;
  newTag?: string;
  digest?: Digest;
}

export type EditIntent = SetImageIntent | SetRefIntent | SetValueIntent | BumpIntent;

export function imageIntent(image: ImageValue): ImageIntent {
  return { repository: image.repository, newTag: image.tag, digest: image.digest };
}

/** The fields that are to stand in an entry: a text, `null` for "must not stand there", absent for "as it is". */
export interface WantedFields {
  newName?: string;
  newTag?: string | null;
  digest?: string | null;
}

/** A tag or digest that the build does not have would be stale, so it goes. Throws `edit-unsupported` for a bad value. */
export function wantedFields(intent: ImageIntent, policy: DigestPolicy): WantedFields {
  const { repository, newName, newTag, digest } = intent;
  check(newName === undefined || isRepository(newName), repository, `"${newName}" is not an image repository`);
  check(newTag === undefined || isTag(newTag), repository, `"${newTag}" is not a tag`);
  check(digest === undefined || isDigest(digest), repository, `"${digest}" is not a sha256 digest`);
  check((newName ?? newTag ?? digest) !== undefined, repository, "there is no tag, digest or name to write");
  if (newTag === undefined && digest === undefined) return { newName };
  const tag = policy === "digest" ? undefined : newTag;
  const pin = policy === "tag" ? undefined : digest;
  check((tag ?? pin) !== undefined, repository, `the policy "${policy}" asks for a value that the build does not have`);
  return { newName, newTag: tag ?? null, digest: pin ?? null };
}

function check(ok: boolean, repository: string, problem: string): void {
  if (ok) return;
  throw new GitspanError("edit-unsupported", `${repository}: ${problem}`, {
    hint: "Report the build with a tag, a digest, or both.",
  });
}
