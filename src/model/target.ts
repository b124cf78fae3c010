import type { ApplicationRef } from "./application.ts";
import type { ErrorCode } from "./errors.ts";
import type { TrustPolicy } from "./trust.ts";

/** One image of an app, as the configuration names it. */
export interface TargetImage {
  /** The configuration's name of the image ("worker"). */
  name: string;
  repository: string;
}

/** A place in the GitOps repository where image values are written. */
export interface KustomizePlace {
  format: "kustomize";
  /** The folder that holds the kustomization file, without a trailing slash; "" is the repository's root. */
  directory: string;
  /** The repository of the one image that is written here; absent: every image of the target. */
  image?: string;
  /** True when an image without an entry may get one. */
  add?: true;
}

/** Where in a file an image's parts stand; texts are selectors (selector.ts). */
export interface ValuePaths {
  /** One value that is the whole reference, the tag or the digest: what stands there tells. Then there is no other path. */
  value?: string;
  /** One value with the whole reference; then there is neither repository, tag nor digest. */
  image?: string;
  registry?: string;
  repository?: string;
  tag?: string;
  digest?: string;
}

/** Formats of single files; editors.md says what each of them is. */
export const FILE_FORMATS = ["helm", "raw", "patch", "argocd", "json", "flux", "yaml"] as const;

export interface FilePlace {
  format: (typeof FILE_FORMATS)[number];
  /** From the repository's root. */
  file: string;
  /** As of a KustomizePlace. */
  image?: string;
  /** Absent: found by what the format says of images. */
  at?: ValuePaths;
  /** Only in this resource, as `Deployment/checkout`. */
  resource?: string;
  /** Only the container of this name. */
  container?: string;
  /** Of the format `flux`: the ImagePolicy that markers name, as `flux-system:checkout`. */
  marker?: string;
}

export type Place = KustomizePlace | FilePlace;

/**
 * What of an image is written where the build has both: `tag+digest` (kustomize and Helm run the digest and show the
 * tag), or only one of them.
 */
export type DigestPolicy = (typeof DIGEST_POLICIES)[number];
export const DIGEST_POLICIES = ["tag+digest", "tag", "digest"] as const;

/** How an environment judges a roll-out; all durations in milliseconds. */
export interface Policy {
  /** How long everything must stay good before it counts as healthy. */
  settleMs: number;
  /** How long Degraded must last before it counts as failed. */
  degradedMs: number;
  /** How long a roll-out may take, blocked and paused time not counted. */
  timeoutMs: number;
  /** After this a delivery that is still not done is cancelled. */
  expireAfterMs: number;
  /** What fails is taken out again by ourselves; absent: by people. */
  rollback?: "automatic";
  /** What a person reverted is held, and newer builds go through; absent: the target is pinned until released. */
  onManualRevert?: "hold-digest";
  /** What must be proven of its images before they are written; absent: nothing. */
  trust?: TrustPolicy;
}

/** Why a target has no places for now: its files do not tell where its images are written. */
export interface Misplaced {
  code: Extract<ErrorCode, `edit-${string}` | `git-${string}`>;
  message: string;
  hint?: string;
}

/** One app in one environment, resolved from the configuration. */
export interface Target {
  /** `app/environment`; never changes, whatever else of the configuration does. */
  id: string;
  app: string;
  environment: string;
  /** The repository's name in the configuration. */
  repository: string;
  branch: string;
  images: TargetImage[];
  places: Place[];
  /** Absent: `tag+digest`. */
  digestPolicy?: DigestPolicy;
  /** The Argo CD Applications that run it; `undefined` means: found by repository and path. */
  applications: ApplicationRef[] | undefined;
  /** So many of them have to be healthy; absent: all. */
  healthyAtLeast?: number;
  policy: Policy;
  /** Of an annotated Application whose files do not tell where to write: then there are no places. */
  misplaced?: Misplaced;
  /** Made by a pattern: whether it is there at all, only the repository knows. */
  byPattern?: true;
}

/** One repository and branch: what is written one after another. */
export interface Lane {
  id: string;
  repository: string;
  branch: string;
}

export function laneOf(place: { repository: string; branch: string }): Lane {
  return { id: `${place.repository}@${place.branch}`, repository: place.repository, branch: place.branch };
}
