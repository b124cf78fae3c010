import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { openRemoteRepository, type RemoteRepository, type RemoteRepositoryOptions } from "../../src/git/repository.ts";
import { planOf } from "../contracts/git-repository.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { loopbackCertificate } from "./golden.ts";

const { signal } = new AbortController();
const auth = { username: "bot", password: "s3cr:et" };

describe("the way to the server", () => {
  let server: GitServer;
  const opened: RemoteRepository[] = [];
  const extra: Server[] = [];
  const open = (options: Partial<RemoteRepositoryOptions> = {}): RemoteRepository => {
    const git = openRemoteRepository({ ambient: systemAmbient }, { url: server.url("gitops"), ...options });
    opened.push(git);
    return git;
  };
  const portOf = (listening: { address(): unknown }): number => (listening.address() as { port: number }).port;
  const listen = async (handler: Parameters<typeof createServer>[1]): Promise<string> => {
    const other = createServer(handler as never);
    extra.push(other);
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${portOf(other)}`;
  };

  beforeEach(async () => {
    server = await startGitServer({ auth });
    await server.createRepository("gitops", { "a/b": "c\n" });
  });
  afterEach(async () => {
    for (const git of opened.splice(0)) git.close();
    for (const other of extra.splice(0)) {
      other.closeAllConnections();
      other.close();
    }
    await server.close();
  });

  it("asks for the credentials before every request", async () => {
    let asked = 0;
    let password = auth.password;
    const git = open({ credentials: async () => (asked++, { username: auth.username, password }) });
    await git.tip("main", signal);
    expect(asked).toBe(2);
    password = "revoked";
    await expect(git.tip("main", signal)).rejects.toMatchObject({ code: "git-auth" });
  });

  it("takes a token that was rotated in its file with the next request", async () => {
    const folder = await mkdtemp(join(tmpdir(), "gitspan-token-"));
    try {
      const file = join(folder, "token");
      await writeFile(file, auth.password);
      const account = { ...auth };
      const rotating = await startGitServer({ auth: account });
      const commit = await rotating.createRepository("gitops", { "a/b": "c\n" });
      const credentials = async () => ({ username: auth.username, password: await readFile(file, "utf8") });
      const git = open({ url: rotating.url("gitops"), credentials });
      const prepared = await git.prepare("main", await git.tip("main", signal), [planOf({ "a/b": "d\n" })], signal);
      account.password = "r0tated";
      await expect(git.tip("main", signal)).rejects.toMatchObject({ code: "git-auth" });
      expect(await git.push(prepared, signal)).toMatchObject({ kind: "refused", reason: "auth" });
      await writeFile(file, "r0tated");
      expect(await git.tip("main", signal)).toBe(commit);
      expect(await git.push(prepared, signal)).toEqual({ kind: "landed" });
      await rotating.close();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("uses a name and password in the URL, and shows them nowhere", async () => {
    const secret = server.url("gitops").replace("//", `//bot:${encodeURIComponent(auth.password)}@`);
    await open({ url: secret }).tip("main", signal);
    const wrong = open({ url: secret.replace("s3cr", "wr0ng") });
    const error: unknown = await wrong.tip("main", signal).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "git-auth" });
    const shown = JSON.stringify([String(error), error, (error as Error).stack]);
    expect(shown).not.toContain("wr0ng");
    expect(shown).not.toContain("Basic");
  });

  it("sends bearer tokens", async () => {
    const seen: unknown[] = [];
    const origin = await listen((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(404).end();
    });
    const git = open({ url: `${origin}/a.git`, credentials: async () => ({ bearer: "t0ken" }) });
    await expect(git.tip("main", signal)).rejects.toMatchObject({ code: "git-not-found" });
    expect(seen).toEqual(["Bearer t0ken"]);
  });

  it("is refused without credentials: a push as well as a read", async () => {
    await expect(open().tip("main", signal)).rejects.toMatchObject({ code: "git-auth", transient: false });
    const reader = open({ credentials: async () => auth });
    const tip = await reader.tip("main", signal);
    const prepared = await reader.prepare("main", tip, [planOf({ "a/b": "d\n" })], signal);
    expect(await open().push(prepared, signal)).toMatchObject({ kind: "refused", reason: "auth" });
  });

  it("does not follow a redirect to another server", async () => {
    const requests: string[] = [];
    const other = await listen((request, response) => {
      requests.push(request.url ?? "");
      response.end();
    });
    const origin = await listen((request, response) => {
      response.writeHead(302, { Location: `${other}${request.url ?? ""}` }).end();
    });
    const git = open({ url: `${origin}/a.git`, credentials: async () => auth });
    await expect(git.tip("main", signal)).rejects.toMatchObject({
      code: "git-protocol",
      message: expect.stringContaining(`redirects to ${other}/a.git/info/refs`),
    });
    expect(requests).toEqual([]);
  });

  it("follows a redirect to the repository's right name on the same server", async () => {
    const origin = await listen((request, response) => {
      const url = request.url ?? "";
      if (url.startsWith("/gitops/")) {
        response.writeHead(301, { Location: url.replace("/gitops/", "/gitops.git/") }).end();
        return;
      }
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { host: _host, connection: _connection, ...headers } = request.headers as Record<string, string>;
        const body = request.method === "POST" ? Buffer.concat(chunks) : undefined;
        const forward = async (): Promise<void> => {
          const answer = await fetch(server.origin + url, { method: request.method, headers, body });
          response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
        };
        void forward();
      });
    });
    const git = open({ url: `${origin}/gitops`, credentials: async () => auth });
    const tip = await git.tip("main", signal);
    expect((await git.readFiles(tip, ["a/b"], signal)).size).toBe(1);
  });

  it("tries again when the server had closed the kept connection", async () => {
    const git = open({ credentials: async () => auth });
    const tip = await git.tip("main", signal);
    server.failNext("ls-refs", { kind: "cut-before" });
    expect(await git.tip("main", signal)).toBe(tip);
  });

  it("says that a server cannot be reached, and that waiting may help", async () => {
    const free = createTcpServer();
    await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
    const port = portOf(free);
    await new Promise<void>((resolve) => free.close(() => resolve()));
    const git = open({ url: `http://127.0.0.1:${port}/a.git` });
    await expect(git.tip("main", signal)).rejects.toMatchObject({ code: "git-unreachable", transient: true });
  });

  it("gives up on a server that says nothing, or talks too slowly", async () => {
    const silent = await listen(() => undefined);
    const slow = await listen((_request, response) => void response.write("0"));
    const waiting = open({ url: `${silent}/a.git`, timeouts: { firstByteMs: 100 } });
    await expect(waiting.tip("main", signal)).rejects.toThrow(/the first byte of the answer took longer than 100 ms/);
    const dripping = open({ url: `${slow}/a.git`, timeouts: { totalMs: 200 } });
    await expect(dripping.tip("main", signal)).rejects.toMatchObject({
      code: "git-unreachable",
      transient: true,
      message: expect.stringContaining("the whole request took longer than 200 ms"),
    });
  });

  it("stops waiting when it is told to", async () => {
    const arrived = Promise.withResolvers<void>();
    const silent = await listen(() => arrived.resolve());
    const stop = new AbortController();
    const waiting = open({ url: `${silent}/a.git` }).tip("main", stop.signal);
    await arrived.promise;
    stop.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });

  it("trusts a certificate that is configured, and no other that it does not know", async () => {
    const { key, cert } = loopbackCertificate();
    const seen: boolean[] = [];
    const secure = createSecureServer({ key, cert }, (request, response) => {
      seen.push(request.headers.authorization !== undefined);
      response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => secure.listen(0, "127.0.0.1", resolve));
    const url = `https://127.0.0.1:${portOf(secure)}/a.git`;
    const credentials = async (): Promise<typeof auth> => auth;
    try {
      await expect(open({ url, credentials }).tip("main", signal)).rejects.toMatchObject({
        code: "git-unreachable",
        message: expect.stringContaining("certificate"),
      });
      expect(seen).toEqual([]);
      await expect(open({ url, credentials, ca: cert }).tip("main", signal)).rejects.toMatchObject({
        code: "git-not-found",
      });
      expect(seen).toEqual([true]);
    } finally {
      secure.closeAllConnections();
      secure.close();
    }
  });

  it("knows http, https and ssh only", () => {
    expect(() => open({ url: "ftp://example.com/a.git" })).toThrow(
      expect.objectContaining({ code: "git-unsupported" }),
    );
  });
});
