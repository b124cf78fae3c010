import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { openRemoteRepository, type RemoteRepository } from "../../src/git/repository.ts";
import { planOf } from "../contracts/git-repository.ts";
import { runGit } from "../fakes/bare-repository.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { newSshKey, type SshAccount } from "../fakes/git-ssh-server.ts";

const run = promisify(execFile);
const { signal } = new AbortController();
const hasKeygen = await run("ssh-keygen", ["-?"]).then(
  () => true,
  (error: unknown) => (error as { code?: unknown }).code !== "ENOENT",
);
if (!hasKeygen) console.warn("skipped: git verify-commit: there is no ssh-keygen (Debian: openssh-client)");

async function start(
  key: () => Promise<string>,
): Promise<{ server: GitServer; git: RemoteRepository; folder: string }> {
  const server = await startGitServer();
  await server.createRepository("gitops", { "a/b": "c\n" });
  const git = openRemoteRepository({ ambient: systemAmbient }, { url: server.url("gitops"), signingKey: key });
  const folder = await mkdtemp(join(tmpdir(), "gitspan-signing-"));
  onTestFinished(async () => {
    git.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { server, git, folder };
}

async function push(git: RemoteRepository, ...texts: string[]): Promise<string[]> {
  const plans = texts.map((text) => planOf({ "a/b": text }, `deploy ${text}\n\nWith ä body`));
  const prepared = await git.prepare("main", await git.tip("main", signal), plans, signal);
  expect(await git.push(prepared, signal)).toEqual({ kind: "landed" });
  return prepared.commits;
}

describe("commits signed by an SSH key", () => {
  it.skipIf(!hasKeygen)("are verified by git itself, and not with another key", async () => {
    const [ours, other] = [newSshKey(), newSshKey()];
    const { server, git, folder } = await start(async () => ours.privateKey);
    const commits = await push(git, "one\n", "two\n");
    const signers = async (name: string, { publicKey }: SshAccount): Promise<string> => {
      await writeFile(join(folder, name), `gitspan@example.com namespaces="git" ${publicKey}\n`);
      return `gpg.ssh.allowedSignersFile=${join(folder, name)}`;
    };
    const verify = (config: string) =>
      runGit(["-c", "gpg.format=ssh", "-c", config, "verify-commit", ...commits], { cwd: server.dir("gitops") });
    await expect(verify(await signers("ours", ours))).resolves.toBeDefined();
    await expect(verify(await signers("other", other))).rejects.toThrow(/No principal matched/);
    await server.fsck("gitops");
  });

  it("read as ssh-keygen's own: a key that it made, a signature that it takes", async (context) => {
    context.skip(!hasKeygen, "there is no ssh-keygen");
    const { server, git, folder } = await start(() => readFile(join(folder, "key"), "utf8"));
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "signer", "-f", join(folder, "key")]);
    const [commit = ""] = await push(git, "one\n");
    const publicKey = await readFile(join(folder, "key.pub"), "utf8");
    await writeFile(join(folder, "allowed"), `gitspan@example.com ${publicKey}`);
    const config = `gpg.ssh.allowedSignersFile=${join(folder, "allowed")}`;
    const verify = runGit(["-c", config, "verify-commit", commit], { cwd: server.dir("gitops") });
    await expect(verify).resolves.toBeDefined();
  });

  it("are not made when the key cannot be used: nothing is pushed", async () => {
    const { server, git } = await start(async () => newSshKey("ed25519", "locked").privateKey);
    const tip = await server.tip("gitops");
    await expect(push(git, "one\n")).rejects.toMatchObject({ code: "git-unsupported", transient: false });
    expect(await server.tip("gitops")).toBe(tip);
  });

  it("are signed by the key that is there now", async () => {
    const keys = [newSshKey(), newSshKey()];
    const { server, git } = await start(async () => keys.shift()?.privateKey ?? "");
    const publics = keys.map(({ publicKey }) => Buffer.from(publicKey.split(" ")[1] ?? "", "base64"));
    await push(git, "one\n");
    await push(git, "two\n");
    for (const [index, revision] of ["main~1", "main"].entries()) {
      const text = await server.git("gitops", "cat-file", "commit", revision);
      const armour = text.slice(text.indexOf("gpgsig "), text.indexOf("\n\n"));
      const blob = Buffer.from(armour.replaceAll(/gpgsig |-----.*-----|\s/g, ""), "base64");
      expect(blob.includes(publics[index] ?? Buffer.from("no key"))).toBe(true);
    }
  });
});
