import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { openRemoteRepository, type RemoteRepository, type RemoteRepositoryOptions } from "../../src/git/repository.ts";
import { statusOfWords } from "../../src/git/ssh-transport.ts";
import { planOf } from "../contracts/git-repository.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { type GitSshServer, newSshKey, type SshAccount, startGitSshServer } from "../fakes/git-ssh-server.ts";
import { rejectionRows } from "./golden.ts";

const { signal } = new AbortController();
const account = newSshKey();

describe("Git over SSH", () => {
  let repositories: GitServer;
  let server: GitSshServer;
  const opened: RemoteRepository[] = [];
  const start = async (hostKeys?: SshAccount[]): Promise<void> => {
    server = await startGitSshServer({ root: repositories.root, authorized: account.publicKey, hostKeys });
  };
  const open = (
    over: { privateKey?: string; passphrase?: string; knownHosts?: string } = {},
    options: Partial<RemoteRepositoryOptions> = {},
  ): RemoteRepository => {
    const { privateKey = account.privateKey, passphrase, knownHosts = server.knownHosts } = over;
    const ssh = { key: async () => ({ privateKey, passphrase }), knownHosts: async () => knownHosts };
    const git = openRemoteRepository({ ambient: systemAmbient }, { url: server.url("gitops"), ssh, ...options });
    opened.push(git);
    return git;
  };

  beforeEach(async () => {
    repositories = await startGitServer();
    await repositories.createRepository("gitops", { "a/b": "c\n" });
    await start();
  });
  afterEach(async () => {
    for (const git of opened.splice(0)) git.close();
    await server.close();
    await repositories.close();
  });

  it("writes a warm bump with one look at the branch and one push, on one connection", async () => {
    const git = open();
    const first = await git.tip("main", signal);
    await git.readFiles(first, ["a/b"], signal);
    server.commands.length = 0;
    const prepared = await git.prepare("main", await git.tip("main", signal), [planOf({ "a/b": "d\n" })], signal);
    expect(await git.push(prepared, signal)).toEqual({ kind: "landed" });
    expect(server.commands.map((command) => command.split(" ")[0])).toEqual(["git-upload-pack", "git-receive-pack"]);
    expect(await repositories.show("gitops", "main", "a/b")).toBe("d\n");
  });

  it.each(["ed25519", "rsa", "ecdsa"] as const)(
    "enters with a key of type %s, locked by a passphrase",
    async (type) => {
      const locked = newSshKey(type, "open sesame");
      await server.close();
      server = await startGitSshServer({ root: repositories.root, authorized: locked.publicKey });
      const { privateKey } = locked;
      expect(await open({ privateKey, passphrase: "open sesame" }).tip("main", signal)).toBe(
        await repositories.tip("gitops"),
      );
      const failure = await open({ privateKey, passphrase: "wrong" })
        .tip("main", signal)
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "git-auth", transient: false });
      expect(JSON.stringify([failure, String(failure)])).not.toMatch(/wrong|PRIVATE KEY/);
      await expect(open({ privateKey }).tip("main", signal)).rejects.toMatchObject({ code: "git-auth" });
    },
  );

  it("sends nothing to a server that is not in known_hosts, and says how to get its key", async () => {
    await expect(open({ knownHosts: "" }).tip("main", signal)).rejects.toMatchObject({
      code: "git-auth",
      hint: expect.stringContaining(`ssh-keyscan -p ${server.port} 127.0.0.1`),
    });
    expect(server.commands).toEqual([]);
  });

  it("sends nothing to a server with another key than the one that is pinned, nor to one whose key is revoked", async () => {
    const other = newSshKey().publicKey.split(" ").slice(0, 2).join(" ");
    const pinned = `[127.0.0.1]:${server.port} ${other}\n`;
    const git = open({ knownHosts: pinned });
    await expect(git.tip("main", signal)).rejects.toMatchObject({
      code: "git-auth",
      transient: false,
      message: expect.stringMatching(/has the key ssh-ed25519 SHA256:\S+, which is not the one that is known/),
    });
    const revoked = open({ knownHosts: `${pinned}@revoked ${server.knownHosts}` });
    await expect(revoked.tip("main", signal)).rejects.toThrow(/which is revoked/);
    expect(server.commands).toEqual([]);
  });

  it("asks a server with several keys for one that is pinned", async () => {
    await server.close();
    const [rsa, ed25519] = [newSshKey("rsa"), newSshKey("ed25519")];
    await start([ed25519, rsa]);
    const pinned = `[127.0.0.1]:${server.port} ${rsa.publicKey}\n`;
    expect(await open({ knownHosts: pinned }).tip("main", signal)).toBe(await repositories.tip("gitops"));
  });

  it("is refused with a key that the account does not have: a push as well as a read", async () => {
    const stranger = open({ privateKey: newSshKey().privateKey });
    await expect(stranger.tip("main", signal)).rejects.toMatchObject({ code: "git-auth", transient: false });
    const git = open();
    const prepared = await git.prepare("main", await git.tip("main", signal), [planOf({ "a/b": "d\n" })], signal);
    expect(await stranger.push(prepared, signal)).toMatchObject({ kind: "refused", reason: "auth" });
  });

  it("needs a key to be opened at all", () => {
    expect(() => open({}, { ssh: undefined })).toThrow(expect.objectContaining({ code: "git-auth" }));
  });

  it.each([
    ["ERROR: Repository not found.", "git-not-found", "not-found"],
    ["ERROR: Permission to o/r.git denied to bot.", "git-auth", "auth"],
    ["fatal: '/x.git' does not appear to be a git repository", "git-not-found", "not-found"],
  ])("understands a server that says %j instead of running git", async (words, code, reason) => {
    const git = open();
    const prepared = await git.prepare("main", await git.tip("main", signal), [planOf({ "a/b": "d\n" })], signal);
    server.refuseNext(words);
    expect(await git.push(prepared, signal)).toMatchObject({
      kind: "refused",
      reason,
      message: expect.stringContaining(words),
    });
    server.refuseNext(words);
    await expect(open().tip("main", signal)).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
  });

  it("waits for a server whose words mean nothing to us: the push was not sent", async () => {
    const git = open();
    const prepared = await git.prepare("main", await git.tip("main", signal), [planOf({ "a/b": "d\n" })], signal);
    server.refuseNext("the cluster is being moved");
    expect(await git.push(prepared, signal)).toMatchObject({ kind: "unavailable" });
    expect(await git.push(prepared, signal)).toEqual({ kind: "landed" });
  });

  it("tells what hooks say, and a lost race", async () => {
    const git = open();
    const base = await git.tip("main", signal);
    const prepared = await git.prepare("main", base, [planOf({ "a/b": "d\n" })], signal);
    await repositories.hook("gitops", "pre-receive", "echo 'frozen until Monday' >&2; exit 1");
    expect(await git.push(prepared, signal)).toEqual({
      kind: "refused",
      reason: "hook-declined",
      message: "pre-receive hook declined: frozen until Monday",
    });
    await repositories.hook("gitops", "pre-receive", "exit 0");
    await repositories.commit("gitops", { x: "y\n" }, "faster");
    expect(await git.push(prepared, signal)).toMatchObject({ kind: "lost-race" });
  });

  it("connects again after the server has ended the connection", async () => {
    const git = open();
    const tip = await git.tip("main", signal);
    server.cut();
    expect(await git.tip("main", signal)).toBe(tip);
    const prepared = await git.prepare("main", tip, [planOf({ "a/b": "d\n" })], signal);
    server.cut();
    // Cut before the push, or while it was under way; then nothing is known until somebody looks.
    const { kind } = await git.push(prepared, signal);
    expect(["landed", "unavailable", "unclear"]).toContain(kind);
  });

  it("gives up on a server that accepts and then says nothing, and stops when it is told to", async () => {
    const silent = createServer((socket) => socket.on("error", () => undefined).resume());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as { port: number };
    const knownHosts = server.knownHosts.replace(String(server.port), String(port));
    const url = `ssh://git@127.0.0.1:${port}/a.git`;
    const waiting = open({ knownHosts }, { url, timeouts: { connectMs: 100 } });
    await expect(waiting.tip("main", signal)).rejects.toThrow(/connecting took longer than 100 ms/);
    const stop = new AbortController();
    const stopped = open({ knownHosts }, { url }).tip("main", stop.signal);
    stop.abort(new Error("enough"));
    await expect(stopped).rejects.toThrow("enough");
    for (const git of opened.splice(0)) git.close();
    await new Promise<void>((resolve) => silent.close(() => resolve()));
  });

  it("says that a server cannot be reached, and that waiting may help", async () => {
    const url = server.url("gitops");
    const git = open({}, { url });
    await server.close();
    await expect(git.tip("main", signal)).rejects.toMatchObject({ code: "git-unreachable", transient: true });
    await start();
  });

  it("cuts off an answer beyond the limit", async () => {
    const git = open({}, { maxResponseBytes: 100 });
    await expect(git.tip("main", signal)).rejects.toMatchObject({ code: "git-too-large" });
  });
});

describe("what an SSH server says instead of running git", () => {
  it.each(rejectionRows().flatMap(({ id, ssh, class: kind }) => (ssh === undefined ? [] : [[id, ssh, kind] as const])))(
    "%s: %s",
    (_id, words, kind) => {
      expect(statusOfWords(words)).toBe(kind === "auth" ? 403 : 404);
    },
  );
});
