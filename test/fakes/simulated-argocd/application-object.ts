/** What the simulation knows of one Application; `toObject` gives it the shape that Argo CD 3.2 was recorded with. */
export interface ApplicationState {
  name: string;
  namespace: string;
  uid: string;
  project: string;
  repoURL: string;
  branch: string;
  path: string;
  automated: boolean;
  createdAt: string;
  generation: number;
  resourceVersion: number;
  refresh: string | undefined;
  annotations: Readonly<Record<string, string>>;
  sync: { status: string; revision: string };
  health: { status: string; since: string };
  reconciledAt: string | undefined;
  /** Revision of the top-level `operation`. */
  requested: { revision: string; automated: boolean } | undefined;
  operation: OperationStatus | undefined;
  conditions: { type: string; message: string; lastTransitionTime: string }[];
  /** What the live objects name: set by an operation. */
  applied: string[];
  /** What Pods name. */
  running: string[];
  history: { revision: string; startedAt: string; deployedAt: string }[];
}

export interface OperationStatus {
  phase: string;
  message: string;
  revision: string;
  automated: boolean;
  startedAt: string;
  finishedAt: string | undefined;
  /** Set once the manifests were applied. */
  images: string[] | undefined;
}

export type KubernetesObject = Record<string, unknown> & {
  metadata: Record<string, unknown> & { name: string; namespace: string; resourceVersion: string };
};

export function toObject(state: ApplicationState): KubernetesObject {
  const source = { path: state.path, repoURL: state.repoURL, targetRevision: state.branch };
  const destination = { namespace: `sim-${state.name}`, server: "https://kubernetes.default.svc" };
  const { requested, operation } = state;
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    metadata: {
      annotations: {
        ...state.annotations,
        ...(state.refresh === undefined ? {} : { "argocd.argoproj.io/refresh": state.refresh }),
      },
      creationTimestamp: state.createdAt,
      generation: state.generation,
      labels: { "gitspan.dev/simulated": "true" },
      name: state.name,
      namespace: state.namespace,
      resourceVersion: String(state.resourceVersion),
      uid: state.uid,
    },
    spec: {
      destination,
      project: state.project,
      source,
      syncPolicy: {
        ...(state.automated ? { automated: { prune: true, selfHeal: true } } : {}),
        syncOptions: ["CreateNamespace=true"],
      },
    },
    ...(requested === undefined ? {} : { operation: operationOf(requested, source) }),
    status: {
      controllerNamespace: state.namespace,
      ...(state.conditions.length === 0 ? {} : { conditions: state.conditions }),
      health: { lastTransitionTime: state.health.since, status: state.health.status },
      history: state.history.map((entry, id) => ({
        deployStartedAt: entry.startedAt,
        deployedAt: entry.deployedAt,
        id,
        initiatedBy: { automated: true },
        revision: entry.revision,
        source,
      })),
      ...(operation === undefined ? {} : { operationState: operationState(state, operation, source) }),
      ...(state.reconciledAt === undefined ? {} : { reconciledAt: state.reconciledAt }),
      resourceHealthSource: "appTree",
      resources: [{ ...deployment(state), status: state.sync.status === "OutOfSync" ? "OutOfSync" : "Synced" }],
      sourceHydrator: {},
      sourceType: "Kustomize",
      summary: state.running.length === 0 ? {} : { images: state.running },
      sync: { comparedTo: { destination, source }, revision: state.sync.revision, status: state.sync.status },
    },
  };
}

function operationOf(from: { revision: string; automated: boolean }, source: object): object {
  return {
    initiatedBy: from.automated ? { automated: true } : { username: "admin" },
    retry: { limit: 5 },
    sync: { prune: true, revision: from.revision, source, syncOptions: ["CreateNamespace=true"] },
  };
}

function operationState(state: ApplicationState, operation: OperationStatus, source: object): object {
  const result =
    operation.images === undefined
      ? {}
      : {
          syncResult: {
            resources: [
              {
                ...deployment(state),
                hookPhase: "Running",
                images: operation.images,
                message: `deployment.apps/${state.name} configured`,
                status: "Synced",
                syncPhase: "Sync",
              },
            ],
            revision: operation.revision,
            source,
          },
        };
  return {
    ...(operation.finishedAt === undefined ? {} : { finishedAt: operation.finishedAt }),
    message: operation.message,
    operation: operationOf(operation, source),
    phase: operation.phase,
    startedAt: operation.startedAt,
    ...result,
  };
}

function deployment(state: ApplicationState): object {
  return { group: "apps", kind: "Deployment", name: state.name, namespace: `sim-${state.name}`, version: "v1" };
}
