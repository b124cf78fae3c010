import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, type IncomingMessage, request as send } from "node:http";
import { join } from "node:path";
import { runGit } from "./bare-repository.ts";
import { readAll } from "./read-all.ts";

export interface BackendAnswer {
  status: number;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

export interface GitBackend {
  /** Passes a request on to `git http-backend`. */
  run(request: IncomingMessage, body: Buffer): Promise<BackendAnswer>;
  close(): Promise<void>;
}

/** Headers of the connection between the two processes, not of the one to the client. */
const OF_THE_CONNECTION = ["connection", "keep-alive", "content-length"];

/** `git http-backend` for the repositories under `root`, in a process of its own. */
export async function startGitBackend(root: string): Promise<GitBackend> {
  const backend = join((await runGit(["--exec-path"])).toString().trim(), "git-http-backend");
  const program = new URL("./git-backend-process.ts", import.meta.url).pathname;
  const child = fork(program, [backend, root], { execArgv: [] });
  const exited = once(child, "exit");
  const [port] = (await Promise.race([
    once(child, "message"),
    exited.then(() => Promise.reject(new Error("the process for git http-backend has ended"))),
  ])) as [number];
  const agent = new Agent({ keepAlive: true });
  return {
    async run(request, body) {
      const { url: path, method, headers } = request;
      const passed = { ...headers, "content-length": String(body.length) };
      delete passed["transfer-encoding"];
      const outgoing = send({ host: "127.0.0.1", port, path, method, headers: passed, agent });
      outgoing.end(body);
      const [response] = (await once(outgoing, "response")) as [IncomingMessage];
      const answer = { status: response.statusCode ?? 500, headers: response.headers, body: await readAll(response) };
      for (const name of OF_THE_CONNECTION) delete answer.headers[name];
      return answer;
    },
    async close() {
      agent.destroy();
      child.disconnect();
      await exited;
    },
  };
}
