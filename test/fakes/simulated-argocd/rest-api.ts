import type { Clock } from "../../../src/model/ambient.ts";
import type { KubernetesObject } from "./application-object.ts";
import { bodyOf, type Call, sendGatewayError, sendJson } from "./http.ts";
import type { World, WorldEvent } from "./world.ts";

const HEARTBEAT_MS = 15_000;

/** Argo CD's own API, as far as gitspan uses it: list, get with refresh, stream, sync. */
export class RestApi {
  readonly #world: World;
  readonly #clock: Clock;

  constructor(world: World, clock: Clock) {
    this.#world = world;
    this.#clock = clock;
  }

  async handle(call: Call): Promise<void> {
    const { request, response, path } = call;
    if (request.method !== "GET" && !request.headers["content-type"]?.startsWith("application/json")) {
      response.writeHead(415, { "content-type": "text/plain; charset=utf-8" });
      response.end("Invalid content type\n");
      return;
    }
    const [, , kind, name, action] = path;
    if (kind === "stream" && name === "applications") return this.#stream(call);
    if (kind !== "applications") return sendGatewayError(response, 404, 5, "Not Found");
    if (name === undefined) return this.#list(call);
    if (action === undefined && request.method === "GET") return this.#get(call, name);
    if (action === "sync" && request.method === "POST") return this.#sync(call, name);
    if (action === "operation" && request.method === "DELETE") return this.#terminate(call, name);
    sendGatewayError(response, 404, 5, "Not Found");
  }

  #terminate({ response, url }: Call, name: string): void {
    const namespace = url.searchParams.get("appNamespace") ?? "argocd";
    if (this.#world.terminate(namespace, name)) return sendJson(response, 200, {});
    sendGatewayError(response, 400, 3, `Unable to terminate operation. No operation is in progress`);
  }

  #list({ response }: Call): void {
    const items = this.#world.list();
    const metadata = { resourceVersion: String(this.#world.version) };
    sendJson(response, 200, { metadata, items: items.length === 0 ? null : items });
  }

  /** With `refresh` it answers only when the comparison is done, and never while the controller is down. */
  async #get(call: Call, name: string): Promise<void> {
    const { url, response } = call;
    const namespace = url.searchParams.get("appNamespace") ?? "argocd";
    const refresh = url.searchParams.get("refresh");
    if (refresh !== null && this.#world.refresh(namespace, name, refresh)) await this.#refreshed(call, namespace, name);
    const object = this.#world.get(namespace, name);
    if (object !== undefined) return sendJson(response, 200, object);
    // Without a project Argo CD does not tell "missing" from "not yours".
    if (!url.searchParams.has("project")) return sendGatewayError(response, 403, 7, "permission denied");
    sendGatewayError(response, 404, 5, `applications.argoproj.io "${name}" not found`);
  }

  async #refreshed({ response }: Call, namespace: string, name: string): Promise<void> {
    await new Promise<void>((resolve) => {
      const stop = this.#world.onEvent(({ object }) => {
        if (object.metadata.namespace !== namespace || object.metadata.name !== name) return;
        if (!Object.hasOwn(object.metadata["annotations"] ?? {}, "argocd.argoproj.io/refresh")) done();
      });
      const done = (): void => {
        stop();
        resolve();
      };
      response.on("close", done);
    });
  }

  async #sync({ request, response, url }: Call, name: string): Promise<void> {
    await bodyOf(request);
    const namespace = url.searchParams.get("appNamespace") ?? "argocd";
    const result = this.#world.sync(namespace, name);
    if (result === "missing") return sendGatewayError(response, 403, 7, "permission denied");
    if (result === "busy") return sendGatewayError(response, 400, 9, "another operation is already in progress");
    sendJson(response, 200, this.#world.get(namespace, name));
  }

  /** No headers before the first Application: a stream that shows none answers nothing at all. */
  #stream({ request, response, url }: Call): void {
    const isSse = request.headers.accept === "text/event-stream";
    const wanted = url.searchParams.get("name");
    const send = (type: WorldEvent["type"], object: KubernetesObject): void => {
      if (wanted !== null && object.metadata.name !== wanted) return;
      if (!response.headersSent) {
        response.writeHead(200, { "content-type": isSse ? "text/event-stream" : "application/json" });
      }
      const frame = JSON.stringify({ result: { type, application: object } });
      response.write(isSse ? `data: ${frame} \n\n` : `${frame}\n`);
    };
    for (const object of this.#world.list()) send("ADDED", object);
    const stop = this.#world.onEvent(({ type, object }) => send(type, object));
    const closed = new AbortController();
    response.on("close", () => {
      stop();
      closed.abort();
    });
    if (isSse) void this.#heartbeat(response, closed.signal);
  }

  async #heartbeat(response: Call["response"], signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(HEARTBEAT_MS, signal).catch(() => undefined);
      if (!signal.aborted && response.headersSent) response.write(":\n");
    }
  }
}
