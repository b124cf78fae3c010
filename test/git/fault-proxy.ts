/**
 * A TCP proxy on loopback that goes wrong with one push at an exact byte. It holds every message until it is whole, so
 * that "after the third byte of the pack" is the same place on every machine and in every run.
 */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Where in the push the fault strikes, in bytes from the beginning of the request or of its answer. */
export interface Layout {
  /** The request as it comes: its size, and where its body (the command) and the pack in it begin. */
  request: { body: number; pack: number; end: number };
}

export type PushFault =
  /** Both connections are cut when so many bytes of the request have reached the server. */
  | { kind: "cut-request"; at: (layout: Layout) => number }
  /** The server gets a shorter body than was sent, as if that were all. */
  | { kind: "shorten"; at: (layout: Layout) => number }
  /** The rest of the request is kept back until `release`; the server's answer then goes nowhere. */
  | { kind: "stall-request"; at: (layout: Layout) => number; release: Promise<void>; done: () => void }
  /** The server has done its work; so many bytes of the answer come through before the cut. */
  | { kind: "cut-answer"; at: (answer: Buffer) => number }
  /** The same, but the connection stays open and nothing more comes. */
  | { kind: "stall-answer"; at: (answer: Buffer) => number }
  /** The server gets the whole request twice, and the client the second answer, or the first. */
  | { kind: "duplicate"; answer: "first" | "second" };

export interface FaultProxy {
  origin: string;
  /** The next push goes wrong. */
  next(fault: PushFault): void;
  /** Pushes that came to the proxy. */
  pushes(): number;
  close(): Promise<void>;
}

export async function startFaultProxy(target: { port: number }): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  let armed: PushFault | undefined;
  let pushes = 0;
  const toServer = (): Socket => {
    const socket = connect(target.port, "127.0.0.1");
    sockets.add(socket);
    return socket.on("error", () => undefined);
  };
  /** Sends to the server on a connection of its own and gives the whole answer. */
  const exchange = (bytes: Buffer): Promise<Buffer> => {
    const socket = toServer();
    socket.write(bytes);
    return nextMessage(socket).finally(() => socket.destroy());
  };

  const handle = async (client: Socket, request: Buffer): Promise<void> => {
    const isPush = /^POST [^ ]*\/git-receive-pack /.test(request.toString("latin1", 0, 200));
    const fault = isPush ? armed : undefined;
    if (isPush) {
      pushes++;
      armed = undefined;
    }
    switch (fault?.kind) {
      case undefined:
        client.write(await exchange(request));
        return;
      case "cut-request": {
        const server = toServer();
        const part = request.subarray(0, fault.at(layoutOf(request)));
        await new Promise<void>((resolve) => server.write(part, () => resolve()));
        server.destroy();
        client.destroy();
        return;
      }
      case "shorten":
        client.write(await exchange(withBody(request, fault.at(layoutOf(request)))));
        return;
      case "stall-request": {
        const server = toServer();
        const at = fault.at(layoutOf(request));
        server.write(request.subarray(0, at));
        await fault.release;
        server.write(request.subarray(at));
        await nextMessage(server);
        server.destroy();
        fault.done();
        return;
      }
      case "cut-answer": {
        const answer = await exchange(request);
        client.write(answer.subarray(0, fault.at(answer)), () => client.destroy());
        return;
      }
      case "stall-answer": {
        const answer = await exchange(request);
        client.write(answer.subarray(0, fault.at(answer)));
        return;
      }
      case "duplicate": {
        const first = await exchange(request);
        const second = await exchange(request);
        client.write(fault.answer === "first" ? first : second);
      }
    }
  };

  const server = createServer((client) => {
    sockets.add(client);
    client.on("error", () => undefined);
    const serve = async (): Promise<void> => {
      for (;;) await handle(client, await nextMessage(client));
    };
    serve().catch(() => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    next: (fault) => {
      armed = fault;
    },
    pushes: () => pushes,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** One HTTP message with a Content-Length, or without a body. */
function nextMessage(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const settle = (act: () => void): void => {
      socket.off("data", onData).off("close", onClose);
      act();
    };
    const onClose = (): void => settle(() => reject(new Error("the connection was closed")));
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const body = bodyOf(bytes);
      if (body === undefined) return;
      const length = Number(/^content-length: *(\d+)/im.exec(bytes.toString("latin1", 0, body))?.[1] ?? 0);
      if (bytes.length >= body + length) settle(() => resolve(bytes));
    };
    if (socket.destroyed) onClose();
    socket.on("data", onData).on("close", onClose);
  });
}

/** Where the body of a message begins; undefined while its head is not whole. */
export function bodyOf(message: Buffer): number | undefined {
  const end = message.indexOf("\r\n\r\n");
  return end < 0 ? undefined : end + 4;
}

function layoutOf(request: Buffer): Layout {
  return { request: { body: bodyOf(request) ?? 0, pack: request.indexOf("PACK"), end: request.length } };
}

function withBody(request: Buffer, end: number): Buffer {
  const body = bodyOf(request) ?? 0;
  const head = request.toString("latin1", 0, body).replace(/^content-length: *\d+/im, `Content-Length: ${end - body}`);
  return Buffer.concat([Buffer.from(head, "latin1"), request.subarray(body, end)]);
}
