import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import type { RepositoryAuth } from "../../src/config/configuration.ts";
import type { RemoteRepository } from "../../src/git/repository.ts";
import { openRepository } from "../../src/repository-connection.ts";
import { planOf } from "../contracts/git-repository.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { newSshKey, startGitSshServer } from "../fakes/git-ssh-server.ts";

const { signal } = new AbortController();

/** Every kind of credentials against a server that takes nothing else, and that none of them shows anywhere. */
describe("the credentials of a repository", () => {
  let folder: string;
  let logged: string[];
  let account: { username: string; password: string };
  let server: GitServer;
  const file = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const open = (auth: RepositoryAuth | undefined, url = server.url("gitops")): RemoteRepository => {
    const note = (...words: unknown[]): void => void logged.push(JSON.stringify(words));
    const log = { debug: note, info: note, warn: note, error: note };
    const opened = openRepository({ ambient: systemAmbient, log }, { url, auth, ca: undefined, proxy: "" });
    onTestFinished(() => opened.close());
    return opened.git;
  };
  const bump = async (git: RemoteRepository): Promise<unknown> =>
    git.push(
      await git.prepare("main", await git.tip("main", signal), [planOf({ "a/b": `${logged.length}\n` })], signal),
      signal,
    );

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "gitspan-credentials-"));
    logged = [];
    account = { username: "bot", password: "s3cret-0ne" };
    server = await startGitServer({ auth: account });
    await server.createRepository("gitops", { "a/b": "c\n" });
  });
  afterEach(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
    if (/s3cret|PRIVATE KEY/.test(logged.join("\n"))) throw new Error(`a secret is in the log: ${logged.join("\n")}`);
  });

  it("are read from the token's file again: a rotated one needs no restart", async () => {
    const token = { file: await file("token", "s3cret-0ne\n") };
    const git = open({ kind: "basic", username: "bot", token });
    expect(await bump(git)).toEqual({ kind: "landed" });
    account.password = "s3cret-tw0";
    const refused: unknown = await git.tip("main", signal).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "git-auth" });
    expect(JSON.stringify([refused, String(refused)])).not.toContain("s3cret");
    await file("token", "s3cret-tw0\n");
    expect(await bump(git)).toEqual({ kind: "landed" });
  });

  it("are waited for while the token's file is not there: nothing was sent", async () => {
    const git = open({ kind: "basic", username: "bot", token: { file: join(folder, "missing") } });
    await expect(git.tip("main", signal)).rejects.toMatchObject({ code: "config-unreadable", transient: true });
  });

  it("go as a bearer token where the server wants that", async () => {
    const seen: unknown[] = [];
    const other = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void other.close());
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}/a.git`;
    const git = open({ kind: "bearer", token: { file: await file("token", "s3cret-0ne\n") } }, url);
    await expect(git.tip("main", signal)).rejects.toMatchObject({ code: "git-not-found" });
    expect(seen).toEqual(["Bearer s3cret-0ne"]);
  });

  it("are those of a GitHub App, and asked for again when they are refused", async () => {
    let made = 0;
    account.username = "x-access-token";
    const api = createServer((_request, response) => {
      const answer = { token: made++ === 0 ? "s3cret-0ne" : "s3cret-tw0", expires_at: "2099-01-01T00:00:00Z" };
      response.writeHead(201).end(JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void api.close());
    const pem = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs1", format: "pem" });
    const git = open({
      kind: "github-app",
      appId: "1",
      installationId: "2",
      privateKey: { file: await file("app.pem", pem as string) },
      apiUrl: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
    });
    expect(await bump(git)).toEqual({ kind: "landed" });
    account.password = "s3cret-tw0";
    await expect(git.tip("main", signal)).rejects.toMatchObject({ code: "git-auth" });
    expect(await bump(git)).toEqual({ kind: "landed" });
    expect(made).toBe(2);
  });

  it("are an SSH key in a file, locked, and the hosts in another", async () => {
    const key = newSshKey("ed25519", "s3cret passphrase");
    const ssh = await startGitSshServer({ root: server.root, authorized: key.publicKey });
    onTestFinished(() => ssh.close());
    const auth = {
      kind: "ssh",
      keyFile: await file("key", key.privateKey),
      knownHostsFile: await file("known_hosts", ssh.knownHosts),
      passphrase: { file: await file("passphrase", "s3cret passphrase\n") },
    } as const;
    expect(await bump(open(auth, ssh.url("gitops")))).toEqual({ kind: "landed" });
    await file("passphrase", "s3cret other");
    const refused: unknown = await open(auth, ssh.url("gitops"))
      .tip("main", signal)
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "git-auth" });
    expect(JSON.stringify([refused, String(refused)])).not.toMatch(/s3cret|PRIVATE KEY/);
  });
});
