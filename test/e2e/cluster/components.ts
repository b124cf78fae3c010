/**
 * What the cluster is made of: one Go tool module per component, pinned by its go.sum. Everything that a start needs is copied into
 * the cache (programs and upstream manifests), so a cluster starts without Go and without a network.
 */
export interface Component {
  /** Folder under modules/, and the name in the cache. */
  readonly name: string;
  /** Package patterns for `go install`: `tool` are the programs that go.mod names, `.` is a main of our own. */
  readonly packages: readonly string[];
  readonly programs: readonly string[];
  readonly ldflags?: string;
  readonly tags?: string;
  /** Needs a C compiler. */
  readonly cgo?: boolean;
  /** Folders that are copied out of a module: CRDs, RBAC, templates. */
  readonly assets?: { readonly module: string; readonly paths: readonly string[] };
}

const KUBERNETES = "k8s.io/component-base/version";
/** Without a version Tekton's own check refuses the API server. */
const kubernetesVersion = `-X ${KUBERNETES}.gitVersion=v1.34.2 -X ${KUBERNETES}.gitMajor=1 -X ${KUBERNETES}.gitMinor=34`;

export const components: readonly Component[] = [
  { name: "registry", packages: ["tool", "."], programs: ["crane", "registry"] },
  { name: "etcd", packages: ["."], programs: ["etcd"] },
  {
    name: "kubernetes",
    packages: ["tool"],
    programs: ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kubelet"],
    ldflags: kubernetesVersion,
  },
  {
    name: "pipeline",
    packages: ["tool"],
    programs: ["controller", "entrypoint", "events", "nop", "sidecarlogresults", "webhook", "workingdirinit"],
    assets: { module: "github.com/tektoncd/pipeline", paths: ["config"] },
  },
  {
    name: "argocd",
    packages: ["tool"],
    programs: ["cmd"],
    ldflags: "-X github.com/argoproj/argo-cd/v3/common.version=3.2.11",
    assets: { module: "github.com/argoproj/argo-cd/v3", paths: ["manifests"] },
  },
  { name: "helm", packages: ["tool"], programs: ["helm", "kustomize"] },
  {
    name: "gitea",
    packages: ["tool"],
    programs: ["gitea"],
    tags: "sqlite sqlite_unlock_notify",
    cgo: true,
    assets: { module: "code.gitea.io/gitea", paths: ["templates", "options", "public"] },
  },
  {
    name: "triggers",
    packages: ["tool"],
    programs: ["controller", "eventlistenersink", "interceptors", "webhook"],
    assets: { module: "github.com/tektoncd/triggers", paths: ["config"] },
  },
  // Tekton's own evaluators of expressions, bindings and Triggers: the judges of ours.
  { name: "triggers-tools", packages: ["tool"], programs: ["binding-eval", "cel-eval", "triggerrun"] },
  { name: "kaniko", packages: ["tool"], programs: ["executor"] },
  { name: "kaniko-warmer", packages: ["tool"], programs: ["warmer"] },
  {
    name: "chains",
    packages: ["tool"],
    programs: ["controller"],
    assets: { module: "github.com/tektoncd/chains", paths: ["config"] },
  },
  { name: "cosign", packages: ["tool"], programs: ["cosign"] },
  {
    name: "results",
    packages: ["tool"],
    programs: ["api", "watcher"],
    assets: { module: "github.com/tektoncd/results", paths: ["config"] },
  },
];

export function component(name: string): Component {
  const found = components.find((one) => one.name === name);
  if (found === undefined) throw new Error(`There is no component ${name}.`);
  return found;
}
