import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { openRemoteRepository, type RemoteRepository, type RemoteRepositoryOptions } from "../../src/git/repository.ts";
import { planOf } from "../contracts/git-repository.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { loopbackCertificate } from "./golden.ts";
import { freePort, type Proxy, startProxy, startTls } from "./proxy.ts";

const { signal } = new AbortController();
const auth = { username: "bot", password: "s3cr:et" };
const account = { username: "prox@y", password: "pr0xy:s3cret" };
const VARIABLES = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"];

describe("a proxy on the way", () => {
  let server: GitServer;
  let proxy: Proxy;
  let tls: Awaited<ReturnType<typeof startTls>>;
  const opened: RemoteRepository[] = [];
  const logged: unknown[] = [];
  const before = Object.fromEntries(VARIABLES.map((name) => [name, process.env[name]]));
  const open = (options: Partial<RemoteRepositoryOptions>): RemoteRepository => {
    const log = { debug: (message: string, fields?: object) => void logged.push(message, fields) };
    const base = { url: server.url("gitops"), credentials: async () => auth };
    const git = openRemoteRepository({ ambient: systemAmbient, log }, { ...base, ...options });
    opened.push(git);
    return git;
  };
  const secure = (): Partial<RemoteRepositoryOptions> => ({
    url: `https://127.0.0.1:${tls.port}/gitops.git`,
    ca: loopbackCertificate().cert,
  });
  const bump = async (git: RemoteRepository): Promise<string> => {
    const tip = await git.tip("main", signal);
    await git.readFiles(tip, ["a/b"], signal);
    const prepared = await git.prepare("main", tip, [planOf({ "a/b": "d\n" })], signal);
    return (await git.push(prepared, signal)).kind;
  };
  const secrets = (): string[] => [account.password, encodeURIComponent(account.password), auth.password, "Basic "];

  beforeEach(async () => {
    for (const name of VARIABLES) delete process.env[name];
    server = await startGitServer({ auth });
    await server.createRepository("gitops", { "a/b": "c\n" });
    proxy = await startProxy(account);
    tls = await startTls(Number(new URL(server.origin).port));
  });
  afterEach(async () => {
    for (const git of opened.splice(0)) git.close();
    await Promise.all([proxy.close(), tls.close(), server.close()]);
    for (const name of VARIABLES) {
      delete process.env[name];
      if (before[name] !== undefined) process.env[name] = before[name];
    }
  });

  it("passes plain requests on", async () => {
    expect(await bump(open({ proxy: proxy.url }))).toBe("landed");
    expect(proxy.seen.at(0)).toBe(`GET ${server.url("gitops")}/info/refs?service=git-upload-pack`);
    expect(proxy.seen).toHaveLength(server.stats().requests);
  });

  it("sees nothing of what goes through its tunnel, and one tunnel is enough", async () => {
    expect(await bump(open({ ...secure(), proxy: proxy.url }))).toBe("landed");
    expect(proxy.seen).toEqual([`CONNECT 127.0.0.1:${tls.port}`]);
  });

  it("is no reason to trust a certificate that nobody knows", async () => {
    const git = open({ ...secure(), ca: undefined, proxy: proxy.url });
    await expect(git.tip("main", signal)).rejects.toMatchObject({
      code: "git-unreachable",
      message: expect.stringContaining("certificate"),
    });
    expect(server.stats().requests).toBe(0);
  });

  it("comes from the environment unless it is configured, and some hosts are left out", async () => {
    process.env["HTTP_PROXY"] = proxy.url;
    process.env["HTTPS_PROXY"] = proxy.url;
    await open({}).tip("main", signal);
    await open(secure()).tip("main", signal);
    expect(proxy.seen.map((line) => line.split(" ")[0])).toEqual(["GET", "POST", "CONNECT"]);
    proxy.seen.length = 0;
    await open({ proxy: "" }).tip("main", signal);
    process.env["NO_PROXY"] = "example.com,127.0.0.1";
    await open({}).tip("main", signal);
    await open(secure()).tip("main", signal);
    expect(proxy.seen).toEqual([]);
  });

  it.each(["http", "https"])("that refuses us, or is not there, shows no password (%s)", async (scheme) => {
    const place = scheme === "https" ? secure() : {};
    const wrong = proxy.url.replace("s3cret", "wr0ng");
    const gone = proxy.url.replace(/:\d+$/, `:${await freePort()}`);
    for (const url of [wrong, gone]) {
      const git = open({ ...place, proxy: url });
      const error: unknown = await git.tip("main", signal).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: expect.stringMatching(/^git-(auth|unreachable)$/) });
      const push = await git.push({ branch: "main", base: "", head: "", commits: [], pack: Buffer.of() }, signal);
      expect(["refused", "unavailable"]).toContain(push.kind);
      const shown = JSON.stringify([
        String(error),
        error,
        (error as Error).stack,
        (error as Error).cause,
        push,
        logged,
      ]);
      for (const secret of [...secrets(), "wr0ng"]) expect(shown).not.toContain(secret);
    }
    expect(server.stats().requests).toBe(0);
  });

  it.each(["socks5://u:s3cr3t@proxy:1", "u:s3cr3t@proxy", "http://u s3cr3t:@:"])(
    "cannot have the address %s",
    (url) => {
      const opening = (): RemoteRepository => open({ proxy: url });
      expect(opening).toThrow(expect.objectContaining({ code: "git-unsupported" }));
      expect(opening).not.toThrow("s3cr3t");
    },
  );
});
