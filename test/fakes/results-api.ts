import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { StoredRun } from "./kubernetes-api.ts";

/** What every request gets instead of its answer: a status, nothing, a cut connection, an answer as it was recorded. */
export type ResultsTrouble = number | "silence" | "cut" | "endless" | "login-page" | Recorded;
type Recorded = "forbidden-stranger" | "records-page-token-garbage" | "records-filter-invalid";

/** Tekton Results over real HTTP: lists records as the real one did, in the recorded form and with its refusals. */
export class FakeResultsApi {
  readonly token = "results-token";
  /** Requests in order, with their queries. */
  readonly requests: URL[] = [];
  trouble: ResultsTrouble | undefined;
  /** Runs in the order in which they were recorded; a text is a record whose value is that. */
  readonly records: (StoredRun | string)[] = [];
  readonly #server = createServer((request, response) => this.#answer(request, response));

  static async start(): Promise<FakeResultsApi> {
    const api = new FakeResultsApi();
    await new Promise<void>((resolve) => api.#server.listen(0, "127.0.0.1", resolve));
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "", "http://fake");
    this.requests.push(url);
    const { trouble } = this;
    if (request.headers.authorization !== `Bearer ${this.token}`) return replay(response, "forbidden-stranger");
    if (trouble === "silence") return;
    if (trouble === "cut") return void request.socket.destroy();
    if (trouble === "login-page") return void response.end("<html>Log in</html>");
    if (typeof trouble === "number") return json(response, trouble, { code: 13, message: "the fake was told to" });
    if (trouble === "endless") return json(response, 200, { records: [], next_page_token: "again" });
    if (trouble !== undefined) return replay(response, trouble);
    const namespace = /^\/apis\/results\.tekton\.dev\/v1alpha2\/parents\/([^/]+)\/results\/-\/records$/.exec(
      url.pathname,
    )?.[1];
    if (namespace === undefined) return json(response, 404, { code: 5, message: "Not Found" });
    this.#list(url, namespace, response);
  }

  #list(url: URL, namespace: string, response: ServerResponse): void {
    const size = Number(url.searchParams.get("page_size") ?? 50);
    if (size < 5 || size > 10_000) return replay(response, "results-page-size-too-small");
    const start = Number(url.searchParams.get("page_token") ?? 0);
    if (!Number.isSafeInteger(start)) return replay(response, "records-page-token-garbage");
    const matches = filterOf(url.searchParams.get("filter") ?? "");
    const found = this.records.filter(
      (each) => typeof each === "string" || (matches(each) && ["-", each.metadata.namespace].includes(namespace)),
    );
    if (found.length === 0) return replay(response, "records-filter-nothing-found");
    const more = start + size < found.length ? { next_page_token: String(start + size) } : {};
    json(response, 200, { records: found.slice(start, start + size).map(recordOf), ...more });
  }
}

/** The run in a recorded answer. */
export function recordedResult(): StoredRun {
  const { records } = JSON.parse(recorded("records-filter-pipelinerun-uid").body) as {
    records: { data: { value: string } }[];
  };
  return JSON.parse(Buffer.from(records[0]?.data.value ?? "", "base64").toString("utf8")) as StoredRun;
}

function recordOf(run: StoredRun | string): Record<string, unknown> {
  const value = typeof run === "string" ? run : Buffer.from(JSON.stringify(run)).toString("base64");
  const name = typeof run === "string" ? "x" : `${run.metadata.namespace}/results/r/records/${run.metadata.uid}`;
  return { name, data: { type: "tekton.dev/v1.PipelineRun", value } };
}

/** What gitspan asks for: one type, an end not before a time, labels. */
function filterOf(filter: string): (run: StoredRun) => boolean {
  const from = Date.parse(/completionTime >= timestamp\("([^"]+)"\)/.exec(filter)?.[1] ?? "");
  if (!filter.startsWith('data_type == "tekton.dev/v1.PipelineRun" && ') || Number.isNaN(from)) {
    throw new Error(`unexpected filter: ${filter}`);
  }
  const labels = [...filter.matchAll(/data\.metadata\.labels\["([^"]+)"\] == "([^"]*)"/g)];
  return ({ metadata, status }) =>
    Date.parse(String((status as { completionTime?: string }).completionTime)) >= from &&
    labels.every(([, key = "", value]) => (metadata["labels"] as Record<string, string> | undefined)?.[key] === value);
}

function replay(response: ServerResponse, name: string): void {
  const { status, body } = recorded(name);
  response.writeHead(status, { "content-type": "application/json" }).end(body);
}

/** The answer in a recording, which comes after the request. */
function recorded(name: string): { status: number; body: string } {
  const text = readFileSync(new URL(`../golden/tekton/results/${name}.http`, import.meta.url), "utf8");
  const answer = text.slice(text.indexOf("\nHTTP/1.1 ") + 1).replaceAll("\r\n", "\n");
  return { status: Number(answer.slice(9, 12)), body: answer.slice(answer.indexOf("\n\n") + 2) };
}

function json(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
}
