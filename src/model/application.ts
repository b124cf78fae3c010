/** Names one Argo CD Application: the connection's name in the configuration, its namespace and its name. */
export interface ApplicationRef {
  cluster: string;
  namespace: string;
  name: string;
}

/** `main/argocd/checkout-prod` */
export function formatApplicationRef(ref: ApplicationRef): string {
  return `${ref.cluster}/${ref.namespace}/${ref.name}`;
}

/** Those that render any of the files, each once. */
export function applicationsAt(
  found: ReadonlyMap<string, readonly ApplicationRef[]>,
  paths: readonly string[],
): ApplicationRef[] {
  const refs = new Map(paths.flatMap((path) => found.get(path) ?? []).map((ref) => [formatApplicationRef(ref), ref]));
  return [...refs.values()];
}

/** One Git source of an Application, as far as it tells which files it renders. */
export interface ApplicationSource {
  repoURL: string;
  path?: string;
  targetRevision?: string;
  /** Set for Helm charts: the revision is then a chart version, never a commit. */
  chart?: string;
  /** Name under which other sources of the Application refer to this one (`$values`). */
  ref?: string;
  valueFiles?: string[];
  /** Of a folder of plain manifests: what is below it is rendered too. */
  recurse?: true;
}

/** Empty and HEAD mean the default branch, which the caller's branch is assumed to be. */
export function followsBranch(targetRevision: string | undefined, branch: string): boolean {
  if (targetRevision === undefined || targetRevision === "HEAD") return true;
  return targetRevision === branch || targetRevision === `refs/heads/${branch}`;
}

/** Where the files lie that an Application renders from the repository of one of its sources. */
export interface SourceFolder {
  /** As the Application has it; absent where only value files of other sources are in it. */
  path?: string;
  recurse?: true;
  /** In the order in which Helm reads them; with a slash in front: from the repository's root, else from `path`. */
  valueFiles: string[];
}

/** `undefined` for a chart, and for a source that gives the Application no file. */
export function sourceFolder(source: ApplicationSource, all: readonly ApplicationSource[]): SourceFolder | undefined {
  if (source.chart !== undefined) return undefined;
  const prefix = `$${source.ref ?? ""}/`;
  const own = source.path === undefined ? [] : (source.valueFiles ?? []).filter((file) => !file.startsWith("$"));
  const shared = all.flatMap(({ valueFiles = [] }) => valueFiles.filter((file) => file.startsWith(prefix)));
  const valueFiles = [...own, ...(source.ref === undefined ? [] : shared.map((file) => file.slice(prefix.length - 1)))];
  if (source.path === undefined && valueFiles.length === 0) return undefined;
  return {
    ...(source.path === undefined ? {} : { path: source.path }),
    ...(source.recurse === undefined ? {} : { recurse: source.recurse }),
    valueFiles,
  };
}

/** What a first configuration is made of. */
export interface SeenApplication {
  namespace: string;
  name: string;
  project: string;
  sources: ApplicationSource[];
  /** The cluster's name or address, and the namespace there; "" where not told. */
  destination: { cluster: string; namespace: string };
}

export interface ApplicationOperation {
  phase: "Running" | "Terminating" | "Succeeded" | "Failed" | "Error" | (string & {});
  message: string;
  startedAt?: string;
  /** With phase Running it means: waiting for a retry. */
  finishedAt?: string;
  retryCount: number;
  /** Revisions that were applied, one per source; empty when the operation failed early. */
  revisions: string[];
  /** Revisions that were asked for. */
  requestedRevisions: string[];
  /** Only some resources were synced (self-heal, selective sync): proves nothing about the whole. */
  partial: boolean;
  dryRun: boolean;
  /** Images of the applied manifests; proof only where no Pod runs. */
  images: string[];
  /** It applied `spec.source(s)` as they are now; absent when it does not tell what it applied. */
  ofThisSpec?: boolean;
}

/** One Pod of an Application, as Argo CD's resource tree or Kubernetes tells it. */
export interface PodState {
  name: string;
  /** References that its specification names. */
  images: string[];
  ready: boolean;
  /** Of all its containers. */
  restarts: number;
  /** `Running`, `CrashLoopBackOff`, `ImagePullBackOff`, `Terminating`; "" when not told. */
  reason: string;
  /** Name of the controller that made it; "" when not told. */
  owner: string;
}

/** `workloads`: what runs, and how it is. `policy`: what keeps Argo CD from syncing. */
export type InspectionKind = "workloads" | "policy";

/** What the Application itself does not tell; each part is absent where it cannot be read. */
export interface Inspection {
  kind: InspectionKind;
  pods?: PodState[];
  /** Everything but Pods that has a health: `Deployment/shop/checkout`. */
  health?: { resource: string; status: string; images: string[] }[];
  /** False while a sync window of the project denies automatic syncs. */
  canSync?: boolean;
  /** The Application's step in the progressive sync of its ApplicationSet, `Waiting: ...`; "" when that has none. */
  rollingSync?: string;
}

/** What the annotations `gitspan.dev/...` of an Application say, as they stand there. */
export interface Annotated {
  /** `name=repository, name2=repository2`; the first ANNOTATION_LIMIT + 1 characters of it. */
  images: string;
  app?: string;
  environment?: string;
  /** `kustomize.images` of its sources: the Application itself says what runs there, whatever files say. */
  own: string[];
}

/** More images than any Application runs; a longer text is refused, never cut. */
export const ANNOTATION_LIMIT = 2_000;

/** The about 1 kB of an Application that verdicts rest on; everything else is dropped when it is read. */
export interface ApplicationSnapshot {
  ref: ApplicationRef;
  uid: string;
  resourceVersion: string;
  sources: ApplicationSource[];
  /** True when the sources are given as a list (`spec.sources`). */
  multiSource: boolean;
  project: string;
  annotations: { refresh?: string; skipReconcile: boolean };
  /** Absent: it does not ask to be a target. */
  annotated?: Annotated;
  automated: boolean;
  /** Name of the ApplicationSet that made it. */
  applicationSet?: string;
  /** Name of the Application that deploys it (app of apps). */
  parent?: string;
  /** Strings of `spec.source(s)` that may name an image, a tag or a digest. */
  specValues: string[];
  /** `status.sync.comparedTo` has the sources of the spec; absent before the first comparison. */
  comparedToSpec?: boolean;
  /** Whether a Rollout is among its resources. */
  hasRollout: boolean;
  /** `status.sync.status`, or "" before the first comparison. */
  sync: string;
  /** `status.sync.revision(s)`: compared, not deployed. On a manifest error the branch's name. */
  revisions: string[];
  /** `status.health.status`, or "". */
  health: string;
  healthMessage: string;
  healthSince?: string;
  /** Argo CD's clock; compare it only with other times of Argo CD. */
  reconciledAt?: string;
  /** Top-level `operation`: requested or running. */
  operationRequested: boolean;
  operation?: ApplicationOperation;
  conditions: { type: string; message: string }[];
  /** `status.summary.images`: what Pod specs name. */
  summaryImages: string[];
  /** Resources that are out of sync or unhealthy (health only where the source tells it). */
  resources: { kind: string; namespace: string; name: string; sync: string; health?: string; message?: string }[];
}
