/**
 * Real `git http-backend` behind a small HTTP server on loopback: counts what goes over the wire, can ask for a
 * password and can go wrong on purpose. Repositories are bare ones in a temporary directory.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packet } from "../../src/git/pkt-line.ts";
import {
  commitFiles,
  initBare,
  installHook,
  type LoggedCommit,
  logOf,
  revParse,
  runGit,
  type SeedFile,
} from "./bare-repository.ts";
import { askGitBackend } from "./git-backend.ts";
import { readAll } from "./read-all.ts";

type GitRequestKind = "discover" | "ls-refs" | "fetch" | "push" | "other";

/** What goes wrong with one request. */
type GitFault =
  /** The connection is cut and git never hears of the request. */
  | { kind: "cut-before" }
  /** git has done its work, but the connection is cut before any answer. */
  | { kind: "cut-after" }
  /** git has done its work, and the answer breaks off after so many bytes of its body. */
  | { kind: "truncate"; bytes: number }
  /** git hears of the request only after the promise resolves, whether or not the client is still there. */
  | { kind: "hold"; until: Promise<void>; onHeld?: () => void; onDone?: () => void }
  /** The answer is this one; git never hears of the request. */
  | { kind: "answer"; status: number; headers?: Record<string, string>; body?: string | Uint8Array };

/**
 * `lazy`: version 2 and partial clones. `no-filter`: version 2 as git offers it without configuration. `tips-only`: claims
 * to serve filters but gives out nothing but what is a branch's commit, as some servers that are not git do. `v0`: as
 * behind a proxy that drops the header Git-Protocol. `v0-filter`: the same, with partial clones.
 */
export type GitServerMode = "lazy" | "no-filter" | "tips-only" | "v0" | "v0-filter";

export const GIT_SERVER_MODES: readonly GitServerMode[] = ["lazy", "no-filter", "tips-only", "v0", "v0-filter"];

export interface GitServerOptions {
  /** Asked of every request (HTTP basic). */
  auth?: { username: string; password: string };
  /** Default 0: any free port. */
  port?: number;
  /** What a reader is offered; default `lazy`. */
  mode?: GitServerMode;
  /** Keeps repositories here instead of a temporary directory that is removed at close. */
  root?: string;
}

interface GitServerStats {
  requests: number;
  /** Bodies the server received. */
  bytesIn: number;
  /** Bodies the server sent. */
  bytesOut: number;
  kinds: Record<GitRequestKind, number>;
}

export interface GitServer {
  readonly origin: string;
  readonly root: string;
  /** `http://127.0.0.1:port/<repo>.git` */
  url(repo: string): string;
  dir(repo: string): string;
  /** A bare repository with these files in one commit on `main`; gives the commit's id. */
  createRepository(name: string, files: Readonly<Record<string, SeedFile>>): Promise<string>;
  /** What somebody else commits: text to write, `null` to delete; gives the new commit's id. */
  commit(repo: string, files: Readonly<Record<string, SeedFile>>, message: string, branch?: string): Promise<string>;
  /** Newest first. */
  log(repo: string, revision?: string): Promise<LoggedCommit[]>;
  /** The file's text at a revision; rejects when it is not there. */
  show(repo: string, revision: string, path: string): Promise<string>;
  tip(repo: string, branch?: string): Promise<string | undefined>;
  /** Any git command in the repository; gives its standard output. */
  git(repo: string, ...args: string[]): Promise<string>;
  /** Feeds `git fast-import`, for histories too long to make commit by commit. */
  importStream(repo: string, stream: string | Uint8Array): Promise<void>;
  hook(repo: string, name: "pre-receive" | "update" | "post-receive", script: string): Promise<void>;
  /** Since the start, or since the last `resetStats`. */
  stats(): GitServerStats;
  resetStats(): void;
  /** The next request of that kind goes wrong; further calls queue up. */
  failNext(kind: GitRequestKind, fault: GitFault): void;
  /** Rejects with git's words when `git fsck --strict` finds anything wrong. */
  fsck(repo: string): Promise<void>;
  close(): Promise<void>;
}

export async function startGitServer(options: GitServerOptions = {}): Promise<GitServer> {
  const root = options.root ?? (await mkdtemp(join(tmpdir(), "gitspan-git-")));
  const faults: { kind: GitRequestKind; fault: GitFault }[] = [];
  const mode = options.mode ?? "lazy";
  let stats = emptyStats();
  const running = new Set<Promise<void>>();

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readAll(request);
    const kind = kindOf(request, body);
    stats.requests++;
    stats.bytesIn += body.length;
    stats.kinds[kind]++;
    if (options.auth !== undefined && request.headers.authorization !== basic(options.auth)) {
      response.writeHead(401, { "WWW-Authenticate": 'Basic realm="git"' }).end("Unauthorized\n");
      return;
    }
    const index = faults.findIndex((entry) => entry.kind === kind);
    const fault = index < 0 ? undefined : faults.splice(index, 1)[0]?.fault;
    if (fault?.kind === "cut-before") {
      response.destroy();
      return;
    }
    if (fault?.kind === "answer") {
      response.writeHead(fault.status, fault.headers).end(fault.body);
      return;
    }
    if (fault?.kind === "hold") {
      fault.onHeld?.();
      await fault.until;
    }
    if (mode.startsWith("v0")) delete request.headers["git-protocol"];
    const refused = mode === "tips-only" && kind === "fetch" ? await notATip(root, request, body) : undefined;
    const result =
      refused === undefined
        ? await askGitBackend(root, request, body)
        : { status: 200, headers: {}, body: packet(`ERR want ${refused} not valid`) };
    if (fault?.kind === "hold") fault.onDone?.();
    stats.bytesOut += result.body.length;
    if (fault?.kind === "cut-after") {
      response.destroy();
      return;
    }
    response.writeHead(result.status, { ...result.headers, "Content-Length": String(result.body.length) });
    if (fault?.kind === "truncate") {
      response.write(result.body.subarray(0, fault.bytes), () => response.destroy());
      return;
    }
    response.end(result.body);
  };

  const server = createServer((request, response) => {
    const work = answer(request, response)
      .catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(500);
        response.end(String(error));
      })
      .finally(() => running.delete(work));
    running.add(work);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const origin = `http://127.0.0.1:${address.port}`;
  const dir = (repo: string): string => join(root, `${repo}.git`);

  return {
    origin,
    root,
    url: (repo) => `${origin}/${repo}.git`,
    dir,
    async createRepository(name, files) {
      await initBare(dir(name));
      if (mode === "no-filter" || mode === "v0") {
        for (const key of ["allowFilter", "allowAnySHA1InWant"]) {
          await runGit(["config", `uploadpack.${key}`, "false"], { cwd: dir(name) });
        }
      }
      return commitFiles(dir(name), files, "start");
    },
    commit: (repo, files, message, branch) => commitFiles(dir(repo), files, message, branch),
    log: (repo, revision) => logOf(dir(repo), revision),
    show: async (repo, revision, path) =>
      (await runGit(["show", `${revision}:${path}`], { cwd: dir(repo) })).toString(),
    tip: (repo, branch = "main") => revParse(dir(repo), `refs/heads/${branch}`),
    git: async (repo, ...args) => (await runGit(args, { cwd: dir(repo) })).toString(),
    importStream: async (repo, stream) => {
      await runGit(["fast-import", "--quiet"], { cwd: dir(repo), input: stream });
    },
    hook: (repo, name, script) => installHook(dir(repo), name, script),
    stats: () => ({ ...stats, kinds: { ...stats.kinds } }),
    resetStats: () => {
      stats = emptyStats();
    },
    failNext: (kind, fault) => {
      faults.push({ kind, fault });
    },
    fsck: async (repo) => {
      await runGit(["fsck", "--strict", "--full", "--no-dangling"], { cwd: dir(repo) });
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.allSettled(running);
      if (options.root === undefined) await rm(root, { recursive: true, force: true });
    },
  };
}

function emptyStats(): GitServerStats {
  return { requests: 0, bytesIn: 0, bytesOut: 0, kinds: { discover: 0, "ls-refs": 0, fetch: 0, push: 0, other: 0 } };
}

function kindOf(request: IncomingMessage, body: Buffer): GitRequestKind {
  const path = new URL(request.url ?? "/", "http://server").pathname;
  if (path.endsWith("/info/refs")) return "discover";
  if (path.endsWith("/git-receive-pack")) return "push";
  const start = body.toString("latin1", 0, 24);
  if (start.includes("command=ls-refs")) return "ls-refs";
  return path.endsWith("/git-upload-pack") ? "fetch" : "other";
}

/** The first of the wanted objects that is no branch's commit. */
async function notATip(root: string, request: IncomingMessage, body: Buffer): Promise<string | undefined> {
  const repo = new URL(request.url ?? "/", "http://server").pathname.replace(/\/git-upload-pack$/, "");
  const refs = (await runGit(["for-each-ref", "--format=%(objectname)"], { cwd: join(root, repo) })).toString();
  const wants = [...body.toString("latin1").matchAll(/want ([0-9a-f]{40})/g)].map(([, oid]) => oid);
  return wants.find((oid) => oid !== undefined && !refs.includes(oid));
}

function basic(auth: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString("base64")}`;
}
