import type { Readable } from "node:stream";
import type { AxiosResponse } from "axios";
import { GitspanError, messageOf } from "../model/errors.ts";
import { type KubernetesLocation, type KubernetesServer, openKubernetesServer } from "./access.ts";
import { bodyOfRefusal, type HttpRequest, isSuccess, send } from "./http.ts";
import { Slots } from "./slots.ts";
import { ExpiredError, KUBERNETES } from "./trouble.ts";
import { isRecord, record, text, type Untrusted } from "./untrusted.ts";

export interface ObjectName {
  kind: string;
  /** As in the path: "/api/v1", "/apis/tekton.dev/v1". */
  group: string;
  /** As in the path: "pods". */
  resource: string;
  namespace: string;
  name: string;
}

/** Requests to one API server. Errors: `kubernetes-unavailable`, `kubernetes-forbidden`, `kubernetes-protocol`. */
export interface KubernetesClient {
  /** The object as it is now; undefined when there is none. */
  read(object: ObjectName, signal: AbortSignal): Promise<Untrusted | undefined>;
  /** What is answered to a new object. */
  create(request: { path: string; body: unknown }, signal: AbortSignal): Promise<Untrusted>;
  /** The open body of a list or watch; abort the signal to close it. */
  open(request: { path: string; query: Record<string, string | undefined> }, signal: AbortSignal): Promise<Readable>;
}

/** etcd takes objects of 1.5 MiB; JSON may be a little longer. */
const LARGEST_OBJECT = 8 * 1024 * 1024;
/** A controller that restarts sends the last event of every run that it finds: that must not swamp the API server. */
const AT_ONCE = 16;
const RETRY_MS = 1_000;

/**
 * Rejects with `config-invalid` when there is no way to the API server. `setting` is the configuration's key for it,
 * `rights` what the account needs, as a sentence.
 */
export async function openKubernetesClient(
  location: KubernetesLocation,
  options: { setting: string; rights: string },
): Promise<KubernetesClient> {
  const server = await openKubernetesServer(location, options.setting);
  const slots = new Slots(AT_ONCE);
  const answer = <T>(request: Request, signal: AbortSignal, responseType: "json" | "stream") =>
    reach<T>(server, request, signal, responseType);
  return {
    read: (object, signal) =>
      slots.use(signal, async () => {
        const response = await answer<unknown>({ path: pathOf(object) }, signal, "json");
        return found(server.who, object, response, options.rights);
      }),
    create: (request, signal) =>
      slots.use(signal, async () => {
        const response = await answer<unknown>({ ...request, method: "POST" }, signal, "json");
        if (!isSuccess(response)) throw refused(server.who, response.status, response.data, options.rights);
        if (isRecord(response.data)) return response.data;
        throw unavailable(`${server.who} answered something else than JSON`);
      }),
    async open(request, signal) {
      const response = await answer<Readable>(request, signal, "stream");
      if (isSuccess(response)) return response.data;
      throw refused(server.who, response.status, await bodyOfRefusal(response.data), options.rights);
    },
  };
}

interface Request extends Omit<HttpRequest, "url" | "signal"> {
  path: string;
}

async function reach<T>(
  server: KubernetesServer,
  { path, ...request }: Request,
  signal: AbortSignal,
  responseType: "json" | "stream",
): Promise<AxiosResponse<T>> {
  const { agents, headers } = await server.credentials();
  const all = { ...request, url: server.base + path, headers: { accept: "application/json", ...headers }, signal };
  try {
    return await send<T>(agents, all, { responseType, largest: LARGEST_OBJECT });
  } catch (error) {
    signal.throwIfAborted();
    throw unavailable(`${server.who} cannot be reached: ${messageOf(error)}`);
  }
}

function pathOf({ group, resource, namespace, name }: ObjectName): string {
  return `${group}/namespaces/${encodeURIComponent(namespace)}/${resource}/${encodeURIComponent(name)}`;
}

function found(
  who: string,
  wanted: ObjectName,
  { status, data }: AxiosResponse<unknown>,
  rights: string,
): Untrusted | undefined {
  if (isSuccess({ status })) {
    const metadata = record(record(data)["metadata"]);
    const same = metadata["name"] === wanted.name && metadata["namespace"] === wanted.namespace;
    if (isRecord(data) && data["kind"] === wanted.kind && same) return data;
    throw unavailable(`${who} answered something else than the ${wanted.kind} that was asked for`);
  }
  // A cluster without Tekton answers 404 too, but does not name the object.
  if (status === 404 && record(record(data)["details"])["name"] === wanted.name) return undefined;
  throw refused(who, status, data, rights);
}

function refused(who: string, status: number, body: unknown, rights: string): GitspanError {
  const said = text(record(body)["message"], 300);
  const answer = `${who} answered ${status}${said === "" ? "" : `: ${said}`}`;
  if (status === 410) return new ExpiredError(KUBERNETES, answer);
  if (status !== 401 && status !== 403) return unavailable(answer);
  return new GitspanError("kubernetes-forbidden", answer, { hint: rights, transient: true, retryAfterMs: RETRY_MS });
}

function unavailable(message: string): GitspanError {
  return new GitspanError("kubernetes-unavailable", message, {
    hint: "Check the address, the network, and that Tekton is installed in this cluster.",
    transient: true,
    retryAfterMs: RETRY_MS,
  });
}
