import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Call, sendGatewayError, sendJson, statusOf } from "./http.ts";
import { KubernetesApi } from "./kubernetes-api.ts";
import { RestApi } from "./rest-api.ts";
import { World, type WorldDeps, type WorldOptions } from "./world.ts";

export interface SimulatedArgoCdOptions extends WorldOptions {
  /** The bearer token of both APIs. */
  token?: string;
  /** `127.0.0.1` if absent. */
  host?: string;
  port?: number;
  bookmarkMs?: number;
  maxPage?: number;
}

export interface SimulatedArgoCd {
  /** Of both APIs: Kubernetes below `/apis`, Argo CD below `/api/v1`. */
  url: string;
  token: string;
  world: World;
  kubernetes: KubernetesApi;
  /** A kubeconfig file's text for this server. */
  kubeconfig: string;
  /** Answers every call with this status instead; undefined ends it. */
  failWith(status: number | undefined): void;
  close(): Promise<void>;
}

/** How often time passes when nothing else wakes the world. */
const TICK_MS = 20;

/** Starts the SIMULATED Argo CD: Kubernetes API and Argo CD REST over one world, which runs by itself. */
export async function startSimulatedArgoCd(deps: WorldDeps, options: SimulatedArgoCdOptions): Promise<SimulatedArgoCd> {
  const world = new World(deps, options);
  const token = options.token ?? "simulated";
  const kubernetes = new KubernetesApi(world, deps.clock, {
    bookmarkMs: options.bookmarkMs ?? 2_000,
    maxPage: options.maxPage ?? 500,
  });
  const rest = new RestApi(world, deps.clock);
  let failure: number | undefined;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const path = url.pathname.split("/").filter(Boolean).map(decodeURIComponent);
    const call: Call = { request, response, url, path };
    const status = failure ?? (request.headers.authorization === `Bearer ${token}` ? undefined : 401);
    if (status !== undefined) return refuse(call, status);
    const handled = path[0] === "apis" ? kubernetes.handle(call) : rest.handle(call);
    handled.catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  const stopping = new AbortController();
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, options.host ?? "127.0.0.1", resolve));
  await world.advance();
  const running = run(world, deps, stopping.signal);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    token,
    world,
    kubernetes,
    kubeconfig: kubeconfigOf(url, token),
    failWith: (code) => {
      failure = code;
    },
    async close() {
      stopping.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await running;
    },
  };
}

async function run(world: World, { clock }: WorldDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(TICK_MS, signal).catch(() => undefined);
    if (!signal.aborted) await world.advance();
  }
}

function refuse({ path, response }: Call, status: number): void {
  const reason = status === 401 ? "Unauthorized" : status === 403 ? "Forbidden" : "Failure";
  const code = status === 401 ? 16 : status === 403 ? 7 : 13;
  if (path[0] === "apis") return sendJson(response, status, statusOf(status, reason, reason));
  sendGatewayError(response, status, code, status === 401 ? "no session information" : "permission denied");
}

function kubeconfigOf(server: string, token: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "simulated",
    clusters: [{ name: "simulated", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "simulated", user: { token } }],
    contexts: [{ name: "simulated", context: { cluster: "simulated", user: "simulated" } }],
  });
}
