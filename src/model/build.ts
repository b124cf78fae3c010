import type { Digest } from "./image.ts";

/** One image that a build produced. At least one of tag and digest is present. */
export interface Artifact {
  /** The name that the build gives the image ("worker"); need not be the configuration's name. */
  name: string;
  /** Registry and path, without tag or digest: `registry.example.com/shop/checkout`. */
  repository: string;
  tag?: string;
  digest?: Digest;
}

/** Where the build's source came from. */
export interface Source {
  repository: string;
  commit: string;
  /** `refs/heads/main` or `refs/tags/v1.2.3`. */
  ref?: string;
  /** Committer date of `commit`, milliseconds since the epoch. */
  time?: number;
  /** First line of the commit message and its author, for people. */
  subject?: string;
  author?: string;
}

/** The CI run that made it. */
export interface Run {
  /** `PipelineRun`, `TaskRun`, or any other CI's word. */
  kind: string;
  uid: string;
  namespace?: string;
  name: string;
  cluster?: string;
  /** Where people can look at the run. */
  url?: string;
  /** Completion (or, while it still runs, the time of the report), milliseconds since the epoch. */
  finishedAt?: number;
}

/** What a caller reports. */
export interface BuildReport {
  artifacts: Artifact[];
  source: Source;
  run?: Run;
  traceparent?: string;
}

/** A stored build. */
export interface Build extends BuildReport {
  id: string;
  /** The authenticated caller: `token:shop-ci`, `serviceaccount:shop-ci/pipeline`. */
  subject: string;
  /** The caller's groups when it was accepted; permission is checked again before every write. */
  groups: string[];
  /** Database time of the acceptance, milliseconds since the epoch. */
  createdAt: number;
}
