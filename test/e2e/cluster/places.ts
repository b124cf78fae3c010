/**
 * Where the cluster lives. One name gives every place, so that a second cluster (`GITSPAN_E2E_NAME=other`) shares nothing with the
 * first. Addresses need no such care: every cluster has a network namespace of its own.
 */
import path from "node:path";

const name = process.env.GITSPAN_E2E_NAME ?? "gitspan-e2e";
/** Tests of the scripts themselves put it elsewhere. */
const root = process.env.GITSPAN_E2E_ROOT ?? "/";
const state = path.join(root, "var/lib", name);

export const places = {
  /** Also the network namespace's and the cgroup's name. */
  name,
  /** Data, logs, keys. Not on an overlay file system: containerd puts one on top of it. */
  state,
  /** Sockets: their paths may be 108 bytes long. */
  run: path.join(root, "run", name),
  kubeconfig: path.join(state, "admin.kubeconfig"),
} as const;

/** On a bridge without ports inside the namespace: endpoints of a Service may not be loopback addresses. */
export const NODE_ADDRESS = "10.88.0.1";
export const NODE_NAME = "node";

export const addresses = {
  apiServer: "https://127.0.0.1:6443",
  registry: "127.0.0.1:5000",
  gitea: "http://127.0.0.1:3000",
  argocd: "http://127.0.0.1:18080",
  results: "https://127.0.0.1:8081",
  eventListener: "http://127.0.0.1:8090",
} as const;

/** `stateFile("log", "etcd.log")`: a path below the state folder. */
export function stateFile(...parts: string[]): string {
  return path.join(places.state, ...parts);
}

/** The port is the one that also names the embedded PostgreSQL's socket. */
export const POSTGRES_ADDRESS = { host: "127.0.0.1", port: 5432 } as const;
