/** A forward proxy on loopback that asks for a password: plain requests are passed on, CONNECT opens a tunnel. */
import { createServer, type IncomingMessage, request as send } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer } from "node:tls";
import { loopbackCertificate } from "./golden.ts";

export interface Proxy {
  /** With user name and password. */
  url: string;
  origin: string;
  /** `GET http://...` or `CONNECT host:port`, in the order of arrival. */
  seen: string[];
  close(): Promise<void>;
}

export async function startProxy(account: { username: string; password: string }): Promise<Proxy> {
  const expected = `Basic ${Buffer.from(`${account.username}:${account.password}`).toString("base64")}`;
  const seen: string[] = [];
  const tunnels = new Set<Duplex>();
  const permitted = (request: IncomingMessage): boolean => request.headers["proxy-authorization"] === expected;
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (!permitted(request)) {
      response.writeHead(407, { "Content-Type": "text/plain" }).end("who are you?\n");
      return;
    }
    const { "proxy-authorization": _, "proxy-connection": __, ...headers } = request.headers;
    const onwards = send(request.url ?? "", { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onwards.on("error", () => response.destroy());
    request.pipe(onwards);
  });
  server.on("connect", (request, socket) => {
    seen.push(`CONNECT ${request.url}`);
    if (!permitted(request)) {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
      return;
    }
    const [host, port] = (request.url ?? "").split(":");
    const onwards = connect(Number(port), host, () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    tunnels.add(socket).add(onwards);
    onwards.on("error", () => socket.destroy());
    socket.on("error", () => onwards.destroy());
    socket.pipe(onwards).pipe(socket);
  });
  const port = await listening(server);
  const origin = `127.0.0.1:${port}`;
  const who = `${encodeURIComponent(account.username)}:${encodeURIComponent(account.password)}`;
  return {
    url: `http://${who}@${origin}`,
    origin: `http://${origin}`,
    seen,
    close: async () => {
      for (const tunnel of tunnels) tunnel.destroy();
      server.closeAllConnections();
      await closed(server);
    },
  };
}

/** TLS before any server on loopback; gives the port and how to end it. */
export async function startTls(target: number): Promise<{ port: number; close: () => Promise<void> }> {
  const open = new Set<Duplex>();
  const server = createTlsServer(loopbackCertificate(), (socket) => {
    const onwards = connect(target, "127.0.0.1");
    open.add(socket).add(onwards);
    onwards.on("error", () => socket.destroy());
    socket.on("error", () => onwards.destroy());
    socket.pipe(onwards).pipe(socket);
  });
  const port = await listening(server);
  const close = async (): Promise<void> => {
    for (const socket of open) socket.destroy();
    await closed(server);
  };
  return { port, close };
}

/** A port on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createTcpServer();
  const port = await listening(server);
  await closed(server);
  return port;
}

async function listening(server: TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function closed(server: TcpServer): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
