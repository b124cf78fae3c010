import { readFile } from "node:fs/promises";
import { Agent as HttpsAgent } from "node:https";
import type { Agents } from "../kubernetes/guarded-request.ts";
import { isSuccess, send } from "../kubernetes/http.ts";
import { isRecord, list, record, text, type Untrusted } from "../kubernetes/untrusted.ts";
import { GitspanError, messageOf } from "../model/errors.ts";

export interface ResultsLocation {
  /** Of the API server of Tekton Results, without the path. */
  url: string;
  /** Called for every request, so that a rotated token is taken up. */
  token: () => Promise<string>;
  caFile: string | undefined;
}

/** Tekton Results, which keeps runs after they are gone from the cluster. */
export interface TektonResults {
  /**
   * PipelineRuns that ended at `from` (milliseconds) or later, in the order in which they were recorded. Undefined: of all namespaces.
   * Errors: `kubernetes-unavailable`, `kubernetes-forbidden`, `kubernetes-protocol`.
   */
  finished(
    query: { namespace: string | undefined; from: number; labels: Readonly<Record<string, string>> },
    signal: AbortSignal,
  ): AsyncGenerator<Untrusted>;
}

const BASE = "/apis/results.tekton.dev/v1alpha2/parents";
/** A run may have 1.5 MB, in base64 a third more. 5 is the least that the server takes. */
const PAGE = 25;
const LARGEST_PAGE = 64 * 1024 * 1024;
/** Below it lie fifty thousand runs. */
const MAX_PAGES = 2_000;
const RETRY_MS = 5_000;

/** Rejects with `config-invalid` when the certificate authority cannot be read. */
export async function openResults(location: ResultsLocation, cluster: string): Promise<TektonResults> {
  const agents = await agentsOf(location.caFile, `tekton.${cluster}.results.caFile`);
  const url = location.url.replace(/\/+$/, "");
  const who = `Tekton Results at ${url}`;
  return {
    async *finished({ namespace, from, labels }, signal) {
      const filter = filterOf(from, labels);
      let token: string | undefined;
      for (let page = 0; page < MAX_PAGES; page++) {
        const headers = { accept: "application/json", authorization: `Bearer ${await location.token()}` };
        const query = { filter, order_by: "create_time asc", page_size: String(PAGE), page_token: token };
        const path = `${BASE}/${encodeURIComponent(namespace ?? "-")}/results/-/records`;
        const answer = await ask(agents, who, { url: url + path, headers, query, signal });
        for (const each of list(answer["records"])) {
          const run = runOf(record(each));
          if (run !== undefined) yield run;
        }
        const next = text(answer["next_page_token"], 10_000);
        if (next === "") return;
        if (next === token) throw protocol(`${who} gives the same page again and again`);
        token = next;
      }
      throw protocol(`${who} has more than ${MAX_PAGES * PAGE} runs of this time`);
    },
  };
}

/** CEL as the server translates it to SQL (pkg/api/server/cel2sql/convert_test.go of tektoncd/results). */
function filterOf(from: number, labels: Readonly<Record<string, string>>): string {
  return [
    'data_type == "tekton.dev/v1.PipelineRun"',
    `data.status.completionTime >= timestamp("${new Date(from).toISOString()}")`,
    ...Object.entries(labels).map(
      ([key, value]) => `data.metadata.labels[${JSON.stringify(key)}] == ${JSON.stringify(value)}`,
    ),
  ].join(" && ");
}

async function ask(agents: Agents, who: string, request: Parameters<typeof send>[1]): Promise<Untrusted> {
  const form = { responseType: "json", largest: LARGEST_PAGE } as const;
  const { status, data } = await send<unknown>(agents, request, form).catch((error: unknown) => {
    request.signal.throwIfAborted();
    throw unavailable(`${who} cannot be reached: ${messageOf(error)}`);
  });
  if (isSuccess({ status })) {
    if (isRecord(data)) return data;
    throw protocol(`${who} answered something else than JSON`);
  }
  const said = text(record(data)["message"], 300);
  const message = `${who} answered ${status}${said === "" ? "" : `: ${said}`}`;
  // What an account may not read is a 401 with code 16 here, as is a token that is none (recorded).
  if (status === 401 || status === 403) {
    throw new GitspanError("kubernetes-forbidden", message, {
      hint: "The account needs get and list of results and records of results.tekton.dev (ClusterRole tekton-results-readonly).",
      transient: true,
      retryAfterMs: RETRY_MS,
    });
  }
  throw status === 429 || status >= 500 ? unavailable(message) : protocol(message);
}

/** Undefined for what is no run: one broken record must not hide the others. */
function runOf(each: Untrusted): Untrusted | undefined {
  const value = record(each["data"])["value"];
  if (typeof value !== "string") return undefined;
  try {
    const run: unknown = JSON.parse(Buffer.from(value, "base64").toString("utf8"));
    return isRecord(run) && run["kind"] === "PipelineRun" ? run : undefined;
  } catch {
    return undefined;
  }
}

async function agentsOf(caFile: string | undefined, setting: string): Promise<Agents> {
  if (caFile === undefined) return {};
  const ca = await readFile(caFile, "utf8").catch((cause: unknown) => {
    throw new GitspanError("config-invalid", `cannot read the certificate authority ${caFile}`, {
      hint: `Check ${setting}.`,
      cause,
    });
  });
  return { https: new HttpsAgent({ ca, keepAlive: true }) };
}

function unavailable(message: string): GitspanError {
  return new GitspanError("kubernetes-unavailable", message, {
    hint: "Check the address and the certificate authority in tekton.<name>.results.",
    transient: true,
    retryAfterMs: RETRY_MS,
  });
}

function protocol(message: string): GitspanError {
  return new GitspanError("kubernetes-protocol", message, {
    hint: "Check the address in tekton.<name>.results, and that it is Tekton Results v0.9 or newer.",
    transient: true,
  });
}
