import type { ApplicationRef } from "./application.ts";

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
}

/** Where in a values file an image's parts stand; texts are selectors (selector.ts). */
export interface HelmPaths {
  /** One value with the whole reference; then there is neither repository, tag nor digest. */
  image?: string;
  registry?: string;
  repository?: string;
  tag?: string;
  digest?: string;
}

export interface HelmPlace {
  format: "helm";
  /** The values file, from the repository's root. */
  file: string;
  /** As of a KustomizePlace. */
  image?: string;
  /** Absent: found by the shape of the values. */
  at?: HelmPaths;
}

export type Place = KustomizePlace | HelmPlace;

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
  /** The Argo CD Applications that run it; `undefined` means: found by repository and path. */
  applications: ApplicationRef[] | undefined;
  policy: Policy;
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
