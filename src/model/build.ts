import type { Digest } from "./image.ts";

/** One image that a build produced. At least one of tag and digest is present. */
export interface Artifact {
  /** The name that the build gives the image ("worker"); need not be the configuration's name. */
  name: string;
  /** Registry and path, without tag or digest: `registry.example.com/shop/checkout`. */
  repository: string;
  tag?: string;
  digest?: Digest;
  /** The digest is what the registry said the tag names when the build came in. */
  resolved?: true;
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
  /** Completion, milliseconds since the epoch; absent where it had not ended when it was reported. */
  finishedAt?: number;
  /** Of a PipelineRun: the uids of its TaskRuns that made the artifacts, where they are known. */
  taskUids?: string[];
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

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * What makes two reports the same build, as one text. A UUID names a run in all the world, so that the final Task and
 * the event of one run are one build, whoever reports it and whether or not the cluster is named. Any other run id
 * counts only together with everything else that names the run, and without a run the content does.
 */
export function buildIdentity(report: BuildReport, subject: string): string {
  const { run, artifacts, source } = report;
  if (run === undefined)
    return JSON.stringify(["content", subject, artifacts.map(artifactKey).toSorted(), source.commit]);
  if (UUID.test(run.uid)) return JSON.stringify(["run", run.uid.toLowerCase()]);
  return JSON.stringify(["run", subject, run.cluster ?? "", run.namespace ?? "", run.kind, run.name, run.uid]);
}

function artifactKey({ name, repository, tag, digest }: Artifact): string {
  return JSON.stringify([name, repository, tag ?? "", digest ?? ""]);
}
