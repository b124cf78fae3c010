import type { Agent as HttpAgent } from "node:http";
import type { RequestOptions } from "node:https";
import { GitspanError, messageOf } from "../model/errors.ts";

export type KubernetesLocation =
  | { kind: "in-cluster" }
  | { kind: "kubeconfig"; file: string; context: string | undefined };

/** What one request carries. The agent for the address's scheme is used; a proxying agent may be both. */
export interface KubernetesCredentials {
  agents: { http?: HttpAgent; https?: HttpAgent };
  headers: Record<string, string>;
}

/** One API server. */
export interface KubernetesServer {
  /** Its address, without a slash at the end. */
  base: string;
  /** "the Kubernetes API at https://...", for messages. */
  who: string;
  /**
   * Asked for before every request: tokens are read again when they are rotated, credential plugins are run as needed.
   * Rejects with the transient `kubernetes-forbidden` when there are none.
   */
  credentials(): Promise<KubernetesCredentials>;
}

/**
 * Opens a kubeconfig file, or the service account of the Pod we run in. `setting` is the configuration's key for it
 * (`argocd.main.kubernetes`). Rejects with `config-invalid` when there is nothing usable.
 */
export async function openKubernetesServer(location: KubernetesLocation, setting: string): Promise<KubernetesServer> {
  // The client library takes 0.7 s to load, and only this needs it.
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  try {
    if (location.kind === "in-cluster") config.loadFromCluster();
    else config.loadFromFile(location.file);
    if (location.kind === "kubeconfig" && location.context !== undefined) config.setCurrentContext(location.context);
  } catch (error) {
    throw unusable(location, setting, messageOf(error), error);
  }
  const server = config.getCurrentCluster()?.server;
  if (server === undefined || server.includes("undefined")) throw unusable(location, setting, "no API server in it");
  const base = server.replace(/\/+$/, "");
  const who = `the Kubernetes API at ${base}`;
  return {
    base,
    who,
    async credentials() {
      const options: RequestOptions = { headers: {} };
      try {
        await config.applyToHTTPSOptions(options);
      } catch (error) {
        throw new GitspanError("kubernetes-forbidden", `no credentials for ${who}: ${messageOf(error)}`, {
          hint: "Check the kubeconfig's user, its token file or credential plugin.",
          transient: true,
          cause: error,
        });
      }
      const { agent } = options;
      return { agents: typeof agent === "object" ? { http: agent, https: agent } : {}, headers: headersOf(options) };
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

function unusable(location: KubernetesLocation, setting: string, why: string, cause?: unknown): GitspanError {
  const where = location.kind === "in-cluster" ? "the Pod's service account" : location.file;
  return new GitspanError("config-invalid", `cannot reach Kubernetes by ${where}: ${why}`, {
    hint:
      location.kind === "in-cluster"
        ? `Outside a cluster give ${setting} a kubeconfig file.`
        : "Check the file, and that its context names a cluster and a user.",
    cause,
  });
}
