import axios, { type AxiosResponse } from "axios";
import { type KubernetesLocation, type KubernetesServer, openKubernetesServer } from "../kubernetes/access.ts";
import { guardedRequest } from "../kubernetes/guarded-request.ts";
import { isRecord, record, text, type Untrusted } from "../kubernetes/untrusted.ts";
import { GitspanError, messageOf } from "../model/errors.ts";

export interface RunName {
  kind: "PipelineRun" | "TaskRun";
  namespace: string;
  name: string;
}

/** Reads runs where they are kept. */
export interface RunReader {
  /** The run as it is now; undefined when there is none. Errors: `kubernetes-unavailable`, `kubernetes-forbidden`. */
  read(run: RunName, signal: AbortSignal): Promise<Untrusted | undefined>;
}

/** etcd takes objects of 1.5 MiB; JSON may be a little longer. */
const LARGEST_RUN = 8 * 1024 * 1024;
/** A controller that restarts sends the last event of every run that it finds: that must not swamp the API server. */
const MAX_READS = 16;
const RETRY_MS = 1_000;

/** Rejects with `config-invalid` when there is no way to the API server. `cluster` is the name in the configuration. */
export async function openRunReader(location: KubernetesLocation, cluster: string): Promise<RunReader> {
  const server = await openKubernetesServer(location, `tekton.${cluster}.kubernetes`);
  const slots = new Slots(MAX_READS);
  return {
    read: async (run, signal) => {
      await slots.take(signal);
      try {
        return await get(server, run, signal);
      } finally {
        slots.free();
      }
    },
  };
}

async function get(server: KubernetesServer, run: RunName, signal: AbortSignal): Promise<Untrusted | undefined> {
  const { agents, headers } = await server.credentials();
  const resource = run.kind === "PipelineRun" ? "pipelineruns" : "taskruns";
  const path = `/apis/tekton.dev/v1/namespaces/${encodeURIComponent(run.namespace)}/${resource}/${encodeURIComponent(run.name)}`;
  let response: AxiosResponse<unknown>;
  try {
    response = await axios.get<unknown>(server.base + path, {
      headers: { accept: "application/json", ...headers },
      signal,
      ...guardedRequest(agents, LARGEST_RUN),
    });
  } catch (error) {
    signal.throwIfAborted();
    // Not the error itself as cause: axios keeps the request there, with its token.
    throw unavailable(`${server.who} cannot be reached: ${messageOf(error)}`);
  }
  return found(server.who, run, response);
}

function found(who: string, run: RunName, { status, data }: AxiosResponse<unknown>): Untrusted | undefined {
  const said = text(record(data)["message"], 300);
  const answer = `${who} answered ${status}${said === "" ? "" : `: ${said}`}`;
  if (status >= 200 && status < 300) {
    const metadata = record(record(data)["metadata"]);
    const same = metadata["name"] === run.name && metadata["namespace"] === run.namespace;
    if (isRecord(data) && data["kind"] === run.kind && same) return data;
    throw unavailable(`${who} answered something else than the ${run.kind} that was asked for`);
  }
  if (status === 401 || status === 403) {
    throw new GitspanError("kubernetes-forbidden", answer, {
      hint: "The account needs the right to get pipelineruns and taskruns of tekton.dev in the namespaces of the runs.",
      transient: true,
      retryAfterMs: RETRY_MS,
    });
  }
  // A cluster without Tekton answers 404 too, but does not name the run.
  if (status === 404 && record(record(data)["details"])["name"] === run.name) return undefined;
  throw unavailable(answer);
}

function unavailable(message: string): GitspanError {
  return new GitspanError("kubernetes-unavailable", message, {
    hint: "Check the address, the network, and that Tekton is installed in this cluster.",
    transient: true,
    retryAfterMs: RETRY_MS,
  });
}

/** At most so many at once; the others wait in the order they came. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    const turn = Promise.withResolvers<void>();
    const leave = () => {
      const place = this.#waiting.indexOf(turn.resolve);
      if (place < 0) return;
      this.#waiting.splice(place, 1);
      turn.reject(signal.reason);
    };
    this.#waiting.push(turn.resolve);
    signal.addEventListener("abort", leave, { once: true });
    try {
      await turn.promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  /** Hands the slot to the next in line, if there is one. */
  free(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
