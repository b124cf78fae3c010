/** Host processes act as the service accounts that their Pods would have: upstream's RBAC is tested, not our administrator's. */

import { Kube } from "../kube.ts";
import { writeKubeconfig } from "../pki.ts";
import { places, stateFile } from "../places.ts";

/** A kubeconfig with the service account's token. */
export async function serviceAccountKubeconfig(namespace: string, account: string): Promise<string> {
  const file = stateFile(`${namespace}.${account}.kubeconfig`);
  writeKubeconfig(file, { token: await new Kube(places.kubeconfig, namespace).token(account) }, namespace);
  return file;
}
