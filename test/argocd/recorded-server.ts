import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";

export interface RecordedServer {
  url: string;
  /** Heads of the requests that came. */
  requests: string[];
  close(): Promise<void>;
}

/**
 * Answers each path (queries do not count) with a recording of test/golden/argocd/rest, byte for byte as it was on the
 * wire; a recording without an answer gets none.
 */
export async function serveRecorded(answers: Record<string, string>): Promise<RecordedServer> {
  const recorded = new Map(Object.entries(answers).map(([path, name]) => [path, answerOf(name)]));
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
    let head = "";
    socket.on("data", (chunk) => {
      head += chunk.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      requests.push(head);
      const path = /^\S+ ([^ ?]+)/.exec(head)?.[1] ?? "";
      head = "";
      if (!recorded.has(path)) socket.end("HTTP/1.1 500 Not Recorded\r\ncontent-length: 0\r\n\r\n");
      else socket.write(recorded.get(path) ?? "");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answerOf(name: string): Buffer | undefined {
  const bytes = readFileSync(new URL(`../golden/argocd/rest/${name}.http`, import.meta.url));
  const start = bytes.indexOf("\nHTTP/1.1 ");
  return start < 0 ? undefined : bytes.subarray(start + 1);
}
