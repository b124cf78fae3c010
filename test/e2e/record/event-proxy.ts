/** Stands between Tekton and the bridge and keeps every CloudEvent with the bridge's answer. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { environment } from "../fixtures/environment.ts";

interface RecordedEvent {
  headers: Record<string, string>;
  body: unknown;
  answered: number;
  answer: unknown;
}

export class EventProxy {
  readonly events: RecordedEvent[] = [];
  readonly url = "http://127.0.0.1:9900";
  readonly #server: Server = createServer((request, response) => {
    void this.#answer(request, response);
  });

  static async start(): Promise<EventProxy> {
    const proxy = new EventProxy();
    proxy.#server.listen(9900, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const forwarded = Object.entries(headers).filter(([name]) => name.startsWith("ce-") || name === "content-type");
    const told = await fetch(`${environment.bridgeUrl}/v1/events/tekton`, {
      method: "POST",
      headers: Object.fromEntries(forwarded),
      body,
    });
    const answer: unknown = await told.json();
    this.events.push({ headers, body: JSON.parse(body.toString()), answered: told.status, answer });
    response.writeHead(told.status, { "content-type": "application/json" }).end(JSON.stringify(answer));
  }

  close(): void {
    this.#server.close();
  }
}
