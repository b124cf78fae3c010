import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, type IncomingMessage, request as send } from "node:http";
import { ROOT_HEADER } from "./git-backend-process.ts";
import { readAll } from "./read-all.ts";

export interface BackendAnswer {
  status: number;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

/** Headers of the connection between the two processes, not of the one to the client. */
const OF_THE_CONNECTION = ["connection", "keep-alive", "content-length"];

const agent = new Agent({ keepAlive: true });
let starting: Promise<number> | undefined;

/** Passes a request for a repository below `root` on to `git http-backend`: one other process for all of this one's servers. */
export async function askGitBackend(root: string, request: IncomingMessage, body: Buffer): Promise<BackendAnswer> {
  starting ??= startBackend();
  const port = await starting;
  const { url: path, method, headers } = request;
  const passed = { ...headers, [ROOT_HEADER]: root, "content-length": String(body.length) };
  delete passed["transfer-encoding"];
  const outgoing = send({ host: "127.0.0.1", port, path, method, headers: passed, agent });
  outgoing.end(body);
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  const answer = { status: response.statusCode ?? 500, headers: response.headers, body: await readAll(response) };
  for (const name of OF_THE_CONNECTION) delete answer.headers[name];
  return answer;
}

/** Gives its port. It ends with this process, and does not keep it from ending. */
async function startBackend(): Promise<number> {
  const child = fork(new URL("./git-backend-process.ts", import.meta.url).pathname, [], { execArgv: [] });
  const [port] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(() => Promise.reject(new Error("the process for git http-backend has ended"))),
  ])) as [number];
  child.unref();
  child.channel?.unref();
  return port;
}
