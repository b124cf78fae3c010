import type { RequestOptions } from "node:https";
import type { Readable } from "node:stream";
import { GitspanError, messageOf } from "../model/errors.ts";
import { type Agents, type HttpRequest, requestJson, requestStream } from "./http.ts";

export type KubernetesLocation =
  | { kind: "in-cluster" }
  | { kind: "kubeconfig"; file: string; context: string | undefined };

/** Requests to one API server, with its address, certificates and credentials filled in. */
export interface KubernetesAccess {
  json(request: Omit<HttpRequest, "url"> & { path: string }): Promise<unknown>;
  stream(request: Omit<HttpRequest, "url"> & { path: string }): Promise<Readable>;
}

/**
 * Opens a kubeconfig file, or the service account of the Pod we run in. Tokens are read again when they are rotated,
 * credential plugins are run as needed. Rejects with `config-invalid` when there is nothing usable.
 */
export async function openKubernetes(location: KubernetesLocation): Promise<KubernetesAccess> {
  // The client library takes 0.7 s to load, and only this needs it.
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  try {
    if (location.kind === "in-cluster") config.loadFromCluster();
    else config.loadFromFile(location.file);
    if (location.kind === "kubeconfig" && location.context !== undefined) config.setCurrentContext(location.context);
  } catch (error) {
    throw unusable(location, messageOf(error), error);
  }
  const server = config.getCurrentCluster()?.server;
  if (server === undefined || server.includes("undefined")) throw unusable(location, "no API server in it");
  const base = server.replace(/\/+$/, "");
  const who = `the Kubernetes API at ${base}`;

  const prepare = async (): Promise<{ agents: Agents; headers: Record<string, string> }> => {
    const options: RequestOptions = { headers: {} };
    try {
      await config.applyToHTTPSOptions(options);
    } catch (error) {
      throw new GitspanError("argocd-auth", `no credentials for ${who}: ${messageOf(error)}`, {
        hint: "Check the kubeconfig's user, its token file or credential plugin.",
        transient: true,
        cause: error,
      });
    }
    const { agent } = options;
    return { agents: typeof agent === "object" ? { http: agent, https: agent } : {}, headers: headersOf(options) };
  };
  const complete = (request: Omit<HttpRequest, "url"> & { path: string }, headers: Record<string, string>) => ({
    ...request,
    url: `${base}${request.path}`,
    headers: { accept: "application/json", ...headers, ...request.headers },
  });
  return {
    async json(request) {
      const { agents, headers } = await prepare();
      return requestJson(agents, who, complete(request, headers));
    },
    async stream(request) {
      const { agents, headers } = await prepare();
      return requestStream(agents, who, complete(request, headers));
    },
  };
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (value !== undefined) all[name.toLowerCase()] = String(value);
  }
  if (typeof auth === "string") all["authorization"] = `Basic ${Buffer.from(auth).toString("base64")}`;
  return all;
}

function unusable(location: KubernetesLocation, why: string, cause?: unknown): GitspanError {
  const where = location.kind === "in-cluster" ? "the Pod's service account" : location.file;
  return new GitspanError("config-invalid", `cannot reach Kubernetes by ${where}: ${why}`, {
    hint:
      location.kind === "in-cluster"
        ? "Outside a cluster give argocd.<name>.kubernetes a kubeconfig file."
        : "Check the file, and that its context names a cluster and a user.",
    cause,
  });
}
