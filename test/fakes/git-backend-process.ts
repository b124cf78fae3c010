/**
 * `git http-backend` behind HTTP, as a process of its own that forks nothing else: a fork copies the page tables of
 * whoever calls it and stops it meanwhile, and a test or a bench holds so much memory that this takes longer than git.
 * Tells its port, and ends with the process that started it.
 */
import { spawn } from "node:child_process";
import { createServer, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { gitEnvironment, runGit } from "./bare-repository.ts";
import { readAll } from "./read-all.ts";

/** Names the folder with the repositories. */
export const ROOT_HEADER = "x-git-root";

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** One CGI call (RFC 3875): the request in environment variables and on standard input, the answer on standard output. */
async function run(backend: string, request: IncomingMessage): Promise<Answer> {
  const url = new URL(request.url ?? "/", "http://server");
  const child = spawn(backend, {
    env: {
      ...gitEnvironment,
      GIT_PROJECT_ROOT: String(request.headers[ROOT_HEADER]),
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? "GET",
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      CONTENT_LENGTH: request.headers["content-length"] ?? "0",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      REMOTE_USER: "tester",
      REMOTE_ADDR: "127.0.0.1",
    },
  });
  child.stdin.on("error", () => undefined);
  child.stderr.resume();
  request.pipe(child.stdin);
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  const out = await Promise.race([readAll(child.stdout), failed]);
  const end = out.indexOf("\r\n\r\n");
  if (end < 0) throw new Error("git http-backend gave no headers");
  let status = 200;
  const headers: Record<string, string> = {};
  for (const line of out.toString("latin1", 0, end).split("\r\n")) {
    const colon = line.indexOf(":");
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
    if (name === "Status") status = Number.parseInt(value, 10);
    else headers[name] = value;
  }
  return { status, headers, body: out.subarray(end + 4) };
}

async function serve(): Promise<void> {
  const backend = join((await runGit(["--exec-path"])).toString().trim(), "git-http-backend");
  const server = createServer((request, response) => {
    run(backend, request).then(
      ({ status, headers, body }) =>
        response.writeHead(status, { ...headers, "Content-Length": String(body.length) }).end(body),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    process.send?.(typeof address === "object" ? address?.port : undefined);
  });
  process.once("disconnect", () => process.exit(0));
}

if (import.meta.main) await serve();
