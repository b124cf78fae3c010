import type { SourceHealth } from "../kubernetes/source-health.ts";
import { eachObject, watchCollection } from "../kubernetes/watch.ts";
import type { Clock } from "../model/ambient.ts";
import type { ApplicationRef, ApplicationSnapshot } from "../model/application.ts";
import type { ArgoCdDeps } from "./deps.ts";
import type { KubernetesAccess } from "./kubernetes-access.ts";
import { toSnapshot } from "./snapshot.ts";
import { ARGOCD } from "./trouble.ts";

const GROUP_PATH = "/apis/argoproj.io/v1alpha1";

export interface ApplicationWatch {
  cluster: string;
  access: KubernetesAccess;
  /** Undefined: all namespaces. */
  namespace: string | undefined;
  idleMs: number;
  health: SourceHealth;
  /** A complete list. */
  replace(snapshots: ApplicationSnapshot[]): void;
  put(snapshot: ApplicationSnapshot): void;
  remove(ref: ApplicationRef): void;
}

/** Keeps up with the Applications of one namespace, or of all, until aborted. Never rejects. */
export async function watchApplications(deps: ArgoCdDeps, watch: ApplicationWatch, signal: AbortSignal): Promise<void> {
  const { cluster, namespace, idleMs, health } = watch;
  const input = {
    what: "Applications",
    fields: { cluster, namespace: namespace ?? "all" },
    trouble: ARGOCD,
    open: opener(watch),
    idleMs,
    health,
    read: (object: unknown) => toSnapshot(cluster, object),
    replace: (all: ApplicationSnapshot[]) => watch.replace(all),
    put: (snapshot: ApplicationSnapshot) => watch.put(snapshot),
    remove: ({ ref }: ApplicationSnapshot) => watch.remove(ref),
  };
  await watchCollection(deps, input, signal);
}

/** Every Application of a namespace, or of all, as it comes. */
export async function eachApplication(
  clock: Clock,
  input: Pick<ApplicationWatch, "access" | "namespace"> & { onItem: (item: unknown) => void },
  signal: AbortSignal,
): Promise<void> {
  await eachObject(clock, { trouble: ARGOCD, open: opener(input), onItem: input.onItem }, signal);
}

function opener({ access, namespace }: Pick<ApplicationWatch, "access" | "namespace">) {
  const scope = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return (query: Record<string, string | undefined>, signal: AbortSignal) =>
    access.stream({ path: `${GROUP_PATH}${scope}/applications`, query, signal });
}

/** Sets the refresh annotation; needs the right to patch Applications, which permits far more. */
export async function annotateRefresh(
  access: KubernetesAccess,
  ref: ApplicationRef,
  signal: AbortSignal,
): Promise<void> {
  await access.json({
    method: "PATCH",
    path: `${GROUP_PATH}/namespaces/${encodeURIComponent(ref.namespace)}/applications/${encodeURIComponent(ref.name)}`,
    headers: { "content-type": "application/merge-patch+json" },
    body: { metadata: { annotations: { "argocd.argoproj.io/refresh": "normal" } } },
    signal,
  });
}
