import type { Readable } from "node:stream";
import { type KubernetesCredentials, type KubernetesLocation, openKubernetesServer } from "../kubernetes/access.ts";
import type { HttpRequest } from "../kubernetes/http.ts";
import { requestJson, requestStream } from "./http.ts";

/** Requests to one API server, with its address, certificates and credentials filled in. */
export interface KubernetesAccess {
  json(request: Omit<HttpRequest, "url"> & { path: string }): Promise<unknown>;
  stream(request: Omit<HttpRequest, "url"> & { path: string }): Promise<Readable>;
}

/** Opens the API server of one Argo CD. Rejects with `config-invalid` when there is nothing usable. */
export async function openKubernetes(location: KubernetesLocation, argocd: string): Promise<KubernetesAccess> {
  const { base, who, credentials } = await openKubernetesServer(location, `argocd.${argocd}.kubernetes`);
  const complete = (
    request: Omit<HttpRequest, "url"> & { path: string },
    { headers }: Pick<KubernetesCredentials, "headers">,
  ) => ({
    ...request,
    url: `${base}${request.path}`,
    headers: { accept: "application/json", ...headers, ...request.headers },
  });
  return {
    async json(request) {
      const known = await credentials();
      return requestJson(known.agents, who, complete(request, known));
    },
    async stream(request) {
      const known = await credentials();
      return requestStream(known.agents, who, complete(request, known));
    },
  };
}
