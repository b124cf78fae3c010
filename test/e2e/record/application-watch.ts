/** Every version of one Application, with the time at which the watch brought it. */
import { KubeConfig, Watch } from "@kubernetes/client-node";
import { at } from "../cluster/kube.ts";
import { environment } from "../fixtures/environment.ts";

export interface Snapshot {
  t: string;
  type: string;
  name: string;
  rv: string;
  object: unknown;
}

export async function watchApplication(name: string): Promise<{ snapshots: Snapshot[]; stop(): void }> {
  const config = new KubeConfig();
  config.loadFromFile(environment.kubeconfig);
  const snapshots: Snapshot[] = [];
  const keep = (type: string, object: unknown) => {
    const rv = String(at(object, "metadata", "resourceVersion"));
    snapshots.push({ t: new Date().toISOString(), type, name, rv, object: structuredClone(object) });
  };
  const query = { fieldSelector: `metadata.name=${name}` };
  const path = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications";
  const watching = await new Watch(config).watch(path, query, keep, () => {});
  return { snapshots, stop: () => watching.abort() };
}
