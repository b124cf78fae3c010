import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface RegistryReply {
  status: number;
  headers?: Record<string, string>;
  body?: Buffer | string;
}

/** Undefined is 404. */
export type Responder = (request: IncomingMessage & { url: string }) => RegistryReply | undefined;

/** An HTTP server on the loopback that answers what a test wants, and remembers what it was asked. */
export class RegistryServer {
  readonly asked: { url: string; authorization: string | undefined }[] = [];
  respond: Responder;
  readonly #server: Server;

  private constructor(respond: Responder) {
    this.respond = respond;
    this.#server = createServer((request, response) => {
      const url = request.url ?? "";
      this.asked.push({ url, authorization: request.headers.authorization });
      const { status, headers, body } = this.respond(Object.assign(request, { url })) ?? { status: 404 };
      response.writeHead(status, headers);
      response.end(body);
    });
  }

  static async start(respond: Responder): Promise<RegistryServer> {
    const server = new RegistryServer(respond);
    const { promise, resolve } = Promise.withResolvers<void>();
    server.#server.listen(0, "127.0.0.1", resolve);
    await promise;
    return server;
  }

  /** `127.0.0.1:40321` */
  get host(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `127.0.0.1:${port}`;
  }

  get address(): string {
    return `http://${this.host}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    await promise;
  }
}
