import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RunCollection } from "./kubernetes-collection.ts";

export interface StoredRun {
  kind: string;
  metadata: Record<string, unknown> & { namespace: string; name: string; uid: string };
  [key: string]: unknown;
}

/** What every request gets instead of its answer: a status, no answer at all, a cut connection, somebody else's page, too much. */
export type Trouble = number | "silence" | "cut" | "login-page" | "no-tekton" | "huge";

/** The `status` that a TokenReview is answered with, and for which audience. */
export interface Review {
  audience: string;
  status: Record<string, unknown>;
}

/** Larger than anything that etcd takes. */
const HUGE = 17 * 1024 * 1024;
const TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews";
const RUNS = /^\/apis\/tekton\.dev\/v1(?:\/namespaces\/([^/]+))?\/pipelineruns$/;

/** The part of a Kubernetes API server that gives runs and Pods, lists and watches PipelineRuns and reviews tokens, over real HTTP. */
export class FakeKubernetesApi {
  readonly token = "api-token";
  /** Paths that were asked for, in order. */
  readonly requests: string[] = [];
  trouble: Trouble | undefined;
  /** Called with every request before it is answered. */
  onRequest: (() => Promise<void>) | undefined;
  /** By token; any other token is not valid. */
  readonly reviews = new Map<string, Review>();
  /** The PipelineRuns among what is stored. */
  readonly collection = new RunCollection();
  readonly #objects = new Map<string, StoredRun>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  #directory = "";

  static async start(): Promise<FakeKubernetesApi> {
    const api = new FakeKubernetesApi();
    await new Promise<void>((resolve) => api.#server.listen(0, "127.0.0.1", resolve));
    api.#directory = await mkdtemp(join(tmpdir(), "gitspan-kubernetes-"));
    await writeFile(api.kubeconfigFile, api.#kubeconfig());
    return api;
  }

  get kubeconfigFile(): string {
    return join(this.#directory, "kubeconfig");
  }

  put(...runs: StoredRun[]): void {
    for (const run of runs) {
      this.#objects.set(pathOf(run), run);
      if (run.kind === "PipelineRun") this.collection.put(run);
    }
  }

  remove(run: StoredRun): void {
    this.#objects.delete(pathOf(run));
    if (run.kind === "PipelineRun") this.collection.remove(run);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", "http://fake");
    const path = url.pathname;
    this.requests.push(path);
    await this.onRequest?.();
    const trouble = request.headers.authorization === `Bearer ${this.token}` ? this.trouble : 401;
    const run = this.#objects.get(path);
    if (trouble === "silence") return;
    if (trouble === "cut") return void request.socket.destroy();
    if (trouble === "huge") return send(response, 200, { items: [{ metadata: { name: "x".repeat(HUGE) } }] });
    if (trouble === "login-page")
      return void response.setHeader("content-type", "text/html").end("<html>Log in</html>");
    if (trouble === "no-tekton") return void response.writeHead(404).end("404 page not found\n");
    if (trouble !== undefined) return send(response, trouble, status(trouble, "the fake was told to"));
    if (path === TOKEN_REVIEWS) return await this.#review(request, response);
    const collection = RUNS.exec(path);
    if (collection !== null) return this.collection.answer(url, collection[1], response);
    if (run !== undefined) return send(response, 200, run);
    const [resource, name] = path.split("/").slice(-2);
    const details = { name, group: "tekton.dev", kind: resource };
    send(response, 404, { ...status(404, `${resource}.tekton.dev "${name}" not found`), reason: "NotFound", details });
  }

  async #review(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const { spec } = JSON.parse(text) as { spec: { token: string; audiences: string[] } };
    const known = this.reviews.get(spec.token);
    const wanted = known !== undefined && spec.audiences.includes(known.audience);
    const answered = wanted ? known.status : { user: {}, error: "[invalid bearer token]" };
    send(response, 201, { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec, status: answered });
  }

  #kubeconfig(): string {
    const server = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "fake",
      contexts: [{ name: "fake", context: { cluster: "fake", user: "fake" } }],
      clusters: [{ name: "fake", cluster: { server, "insecure-skip-tls-verify": true } }],
      users: [{ name: "fake", user: { token: this.token } }],
    });
  }
}

/** The run of an event as the API server has it: `tekton.dev/v1`, where results are called `status.results`. */
export function asStored(kind: "PipelineRun" | "TaskRun", sent: Record<string, Record<string, unknown>>): StoredRun {
  const { pipelineResults, taskResults, ...rest } = sent["status"] ?? {};
  const results = rest["results"] ?? pipelineResults ?? taskResults;
  const metadata = sent["metadata"] as StoredRun["metadata"];
  const stored = { ...rest, ...(results === undefined ? {} : { results }) };
  return { ...sent, apiVersion: "tekton.dev/v1", kind, metadata: { ...metadata }, status: stored };
}

function pathOf({ kind, metadata }: StoredRun): string {
  if (kind === "Pod") return `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
  return `/apis/tekton.dev/v1/namespaces/${metadata.namespace}/${kind.toLowerCase()}s/${metadata.name}`;
}

function status(code: number, message: string): Record<string, unknown> {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code };
}

function send(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
}
