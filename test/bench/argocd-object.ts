/** Applications of the size of real ones: a history of ten entries, the last operation, annotations; about 12 kB as JSON. */
export interface ApplicationState {
  number: number;
  version: number;
  revision: string;
  sync: string;
  health: string;
  images: string[];
  reconciledAt: string;
  healthSince: string;
  operation: { phase: string; revision: string; startedAt: string; finishedAt?: string } | undefined;
}

export const REPOSITORY = "https://git.example.com/platform/gitops.git";
export const imageOf = (number: number, tag: string): string => `registry.example.com/shop/app-${number}:${tag}`;
export const pathOf = (number: number): string => `apps/app-${number}/overlays/prod`;

export function applicationObject(state: ApplicationState): object {
  const { number, operation } = state;
  const source = { repoURL: REPOSITORY, path: pathOf(number), targetRevision: "main" };
  const resources = ["Deployment", "Service", "ConfigMap", "ServiceAccount", "Ingress"].map((kind) => ({
    group: kind === "Deployment" ? "apps" : "",
    version: "v1",
    kind,
    namespace: `shop-${number}`,
    name: `app-${number}`,
    status: kind === "Deployment" ? state.sync : "Synced",
  }));
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    metadata: {
      name: `app-${number}`,
      namespace: "argocd",
      uid: `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`,
      resourceVersion: String(state.version),
      annotations: {
        "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify({ source, note: "x".repeat(900) }),
      },
      managedFields: [{ manager: "argocd", fieldsV1: { "f:status": "y".repeat(1_500) } }],
    },
    spec: {
      project: "default",
      source,
      destination: { server: "https://kubernetes.default.svc", namespace: `shop-${number}` },
      syncPolicy: { automated: { prune: true, selfHeal: true } },
    },
    status: {
      sync: { status: state.sync, revision: state.revision, comparedTo: { source } },
      health: { status: state.health, lastTransitionTime: state.healthSince },
      reconciledAt: state.reconciledAt,
      summary: { images: state.images },
      resources,
      history: Array.from({ length: 10 }, (_, id) => ({
        id,
        revision: String(id).padStart(40, "a"),
        deployedAt: state.healthSince,
        source: { ...source, kustomize: { commonAnnotations: { note: "z".repeat(350) } } },
      })),
      ...(operation === undefined
        ? {}
        : {
            operationState: {
              phase: operation.phase,
              startedAt: operation.startedAt,
              ...(operation.finishedAt === undefined ? {} : { finishedAt: operation.finishedAt }),
              message: "successfully synced (all tasks run)",
              operation: { sync: { revision: operation.revision } },
              syncResult: {
                revision: operation.revision,
                source,
                resources: resources.map((resource) => ({
                  ...resource,
                  message: `${resource.kind} configured`,
                  images: state.images,
                })),
              },
            },
          }),
    },
  };
}
