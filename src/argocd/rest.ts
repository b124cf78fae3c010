import { readFile } from "node:fs/promises";
import { Agent as HttpsAgent } from "node:https";
import type { Readable } from "node:stream";
import type { Agents } from "../kubernetes/guarded-request.ts";
import { readList } from "../kubernetes/list-items.ts";
import { record } from "../kubernetes/untrusted.ts";
import type { Clock } from "../model/ambient.ts";
import type { ApplicationRef, ApplicationSnapshot } from "../model/application.ts";
import { GitspanError } from "../model/errors.ts";
import { requestJson, requestStream } from "./http.ts";
import { toSnapshot } from "./snapshot.ts";
import { ARGOCD } from "./trouble.ts";

const IDLE_MS = 30_000;

export interface RestLocation {
  /** Of the Argo CD server, without `/api/v1`. */
  url: string;
  /** Called for every request, so that a rotated token is taken up. */
  token: () => Promise<string>;
  caFile: string | undefined;
}

/** Argo CD's own API with the rights `applications, get`. Its errors are `argocd-...` codes. */
export class ArgoCdRest {
  readonly #location: RestLocation;
  readonly #base: string;
  readonly #agents: Agents;

  private constructor(location: RestLocation, agents: Agents) {
    this.#location = location;
    this.#base = `${location.url.replace(/\/+$/, "")}/api/v1`;
    this.#agents = agents;
  }

  /** Reads the certificate authority; rejects with `config-invalid` when it cannot. */
  static async open(location: RestLocation): Promise<ArgoCdRest> {
    if (location.caFile === undefined) return new ArgoCdRest(location, {});
    const { caFile } = location;
    const ca = await readFile(caFile, "utf8").catch((cause: unknown) => {
      throw new GitspanError("config-invalid", `cannot read the certificate authority ${caFile}`, {
        hint: "Check argocd.<name>.caFile.",
        cause,
      });
    });
    return new ArgoCdRest(location, { https: new HttpsAgent({ ca, keepAlive: true }) });
  }

  /** All Applications that the account may read. */
  async list(clock: Clock, cluster: string, signal: AbortSignal): Promise<ApplicationSnapshot[]> {
    const found: ApplicationSnapshot[] = [];
    await this.eachApplication(clock, (item) => void found.push(toSnapshot(cluster, item)), signal);
    return found;
  }

  /** The same one by one, as they come in one answer without pages; an empty list comes as `items: null`. */
  async eachApplication(clock: Clock, onItem: (item: unknown) => void, signal: AbortSignal): Promise<void> {
    const closing = new AbortController();
    const both = AbortSignal.any([signal, closing.signal]);
    try {
      const chunks = await requestStream(this.#agents, this.#who, {
        url: `${this.#base}/applications`,
        headers: { ...(await this.#headers()), accept: "application/json" },
        signal: both,
      });
      await readList(clock, { chunks, idleMs: IDLE_MS, signal, onItem, trouble: ARGOCD });
    } finally {
      closing.abort();
    }
  }

  /** One Application, with the health of its resources. Rejects with `argocd-not-found` or `argocd-forbidden`. */
  async get(ref: ApplicationRef, project: string | undefined, signal: AbortSignal): Promise<ApplicationSnapshot> {
    const query = { appNamespace: ref.namespace, project };
    return toSnapshot(ref.cluster, await this.#get(pathOf(ref), query, signal));
  }

  /**
   * Asks for a new comparison and resolves when it is done. It hangs for as long as the application controller is
   * down (recorded), so give it a limit; the request stands once it has been received.
   */
  async refresh(ref: ApplicationRef, project: string | undefined, signal: AbortSignal): Promise<void> {
    // Without the project a missing Application answers 403, with it 404.
    await this.#get(pathOf(ref), { refresh: "normal", appNamespace: ref.namespace, project }, signal);
  }

  /** What the Application consists of, down to its Pods. */
  async tree(ref: ApplicationRef, project: string | undefined, signal: AbortSignal): Promise<unknown> {
    return this.#get(`${pathOf(ref)}/resource-tree`, { appNamespace: ref.namespace, project }, signal);
  }

  /** False while a sync window denies automatic syncs; absent in the answer means false. */
  async canSync(ref: ApplicationRef, project: string | undefined, signal: AbortSignal): Promise<boolean> {
    const query = { appNamespace: ref.namespace, project };
    return record(await this.#get(`${pathOf(ref)}/syncwindows`, query, signal))["canSync"] === true;
  }

  /** Needs `applicationsets, get`. */
  async applicationSet(namespace: string, name: string, signal: AbortSignal): Promise<unknown> {
    return this.#get(`/applicationsets/${encodeURIComponent(name)}`, { appsetNamespace: namespace }, signal);
  }

  /** Stops the operation that runs; needs the right `applications, sync`. */
  async terminate(ref: ApplicationRef, project: string | undefined, signal: AbortSignal): Promise<void> {
    await requestJson(this.#agents, this.#who, {
      method: "DELETE",
      url: `${this.#base}${pathOf(ref)}/operation`,
      query: { appNamespace: ref.namespace, project },
      // Without it Argo CD answers 415 to everything but GET.
      headers: { ...(await this.#headers()), accept: "application/json", "content-type": "application/json" },
      signal,
    });
  }

  /**
   * Every change as `data: {...}` lines, with a heartbeat each 15 s thanks to the Accept header. While the account sees
   * no Application, not even the headers come.
   */
  async stream(signal: AbortSignal): Promise<Readable> {
    return requestStream(this.#agents, this.#who, {
      url: `${this.#base}/stream/applications`,
      headers: { ...(await this.#headers()), accept: "text/event-stream" },
      signal,
    });
  }

  get #who(): string {
    return `Argo CD at ${this.#location.url}`;
  }

  async #get(path: string, query: Record<string, string | undefined>, signal: AbortSignal): Promise<unknown> {
    return requestJson(this.#agents, this.#who, {
      url: `${this.#base}${path}`,
      query,
      headers: { ...(await this.#headers()), accept: "application/json" },
      signal,
    });
  }

  async #headers(): Promise<Record<string, string>> {
    return { authorization: `Bearer ${(await this.#location.token()).trim()}` };
  }
}

function pathOf({ name }: ApplicationRef): string {
  return `/applications/${encodeURIComponent(name)}`;
}
