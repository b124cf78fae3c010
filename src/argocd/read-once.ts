import type { KubernetesLocation } from "../kubernetes/access.ts";
import { withTimeLimit } from "../kubernetes/time-limit.ts";
import { record, text } from "../kubernetes/untrusted.ts";
import type { Clock } from "../model/ambient.ts";
import type { SeenApplication } from "../model/application.ts";
import { eachApplication } from "./kubernetes.ts";
import { openKubernetes } from "./kubernetes-access.ts";
import { ArgoCdRest } from "./rest.ts";
import { toSources } from "./snapshot.ts";
import { ARGOCD } from "./trouble.ts";

/** Ten thousand Applications take a few seconds. */
const LONGEST_MS = 60_000;

/** One Argo CD, by its Kubernetes API where that is given, else by its own. */
export interface ReadLocation {
  kubernetes?: KubernetesLocation;
  server?: { url: string; token: () => Promise<string> };
  caFile?: string;
}

/**
 * Every Application that may be read, once. Rejects with `argocd-unreachable`, `argocd-auth`, `argocd-forbidden`,
 * `argocd-not-found` or `argocd-protocol`, and with `config-invalid` when a kubeconfig or certificate file is unusable.
 */
export async function readApplications(
  clock: Clock,
  { kubernetes, server, caFile }: ReadLocation,
  signal: AbortSignal,
): Promise<SeenApplication[]> {
  const seen: SeenApplication[] = [];
  const onItem = (item: unknown): void => void seen.push(toSeen(item));
  const limit = { ms: LONGEST_MS, message: "Argo CD did not tell its Applications in time", signal, trouble: ARGOCD };
  await withTimeLimit(clock, limit, async (limited) => {
    if (kubernetes !== undefined) {
      const access = await openKubernetes(kubernetes, "main");
      await eachApplication(clock, { access, namespace: undefined, onItem }, limited);
    } else if (server !== undefined) {
      const rest = await ArgoCdRest.open({ ...server, caFile });
      await rest.eachApplication(clock, onItem, limited);
    }
  });
  return seen;
}

function toSeen(item: unknown): SeenApplication {
  const metadata = record(record(item)["metadata"]);
  const spec = record(record(item)["spec"]);
  const destination = record(spec["destination"]);
  return {
    namespace: text(metadata["namespace"]),
    name: text(metadata["name"]),
    project: text(spec["project"]),
    sources: toSources(spec),
    destination: {
      cluster: text(destination["name"]) || text(destination["server"]),
      namespace: text(destination["namespace"]),
    },
  };
}
