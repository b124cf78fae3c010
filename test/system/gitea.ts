import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { GenericContainer, Wait } from "testcontainers";
import { systemAmbient } from "../../src/ambient.ts";
import { openRemoteRepository } from "../../src/git/repository.ts";
import type { GitSubject } from "../contracts/git-repository.ts";
import { commitFiles, initBare, runGit, type SeedFile } from "../fakes/bare-repository.ts";

const PASSWORD = "system-test-1";
const USER = { username: "demo", password: PASSWORD };

export interface Gitea {
  /** `http://localhost:port` */
  origin: string;
  close(): Promise<void>;
}

/** Gitea with the demonstration's own start script and settings (deploy/compose). */
export async function startGitea(image: string): Promise<Gitea> {
  const container = await new GenericContainer(image)
    .withEntrypoint(["/bin/sh", "/etc/gitspan-demonstration/start.sh"])
    .withEnvironment({ DEMO_PASSWORD: PASSWORD })
    .withCopyDirectoriesToContainer([
      { source: resolve("deploy/compose/gitea"), target: "/etc/gitspan-demonstration", mode: 0o755 },
    ])
    .withExposedPorts(3000)
    .withWaitStrategy(Wait.forHttp("/api/healthz", 3000))
    .start();
  return {
    origin: `http://${container.getHost()}:${container.getMappedPort(3000)}`,
    close: async () => void (await container.stop()),
  };
}

let made = 0;

/** What the git contract is about: a new repository on the server, and a bare one here through which others push. */
export async function giteaSubject({ origin }: Gitea, seed: Readonly<Record<string, SeedFile>>): Promise<GitSubject> {
  const name = `contract-${++made}`;
  const authorization = `Basic ${Buffer.from(`${USER.username}:${USER.password}`).toString("base64")}`;
  const created = await fetch(`${origin}/api/v1/user/repos`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({ name, default_branch: "main", private: true }),
  });
  if (!created.ok) throw new Error(`Gitea: ${created.status} ${await created.text()}`);

  const url = `${origin}/${USER.username}/${name}.git`;
  const here = await mkdtemp(join(tmpdir(), "gitspan-gitea-"));
  const git = async (...args: string[]): Promise<string> =>
    (await runGit(["-c", `http.extraHeader=Authorization: ${authorization}`, ...args], { cwd: here })).toString();
  const fetchAll = (): Promise<string> => git("fetch", "--quiet", url, "+refs/heads/*:refs/heads/*");
  await initBare(here);
  await commitFiles(here, seed, "start");
  await git("push", "--quiet", url, "main");

  const repository = openRemoteRepository({ ambient: systemAmbient }, { url, credentials: async () => USER });
  return {
    repository,
    async commit(files, message, branch = "main") {
      await fetchAll();
      const commit = await commitFiles(here, files, message, branch);
      await git("push", "--quiet", url, branch);
      return commit;
    },
    async reset(commit) {
      await fetchAll();
      await git("push", "--quiet", "--force", url, `${commit}:refs/heads/main`);
    },
    async show(path) {
      await fetchAll();
      return await git("show", `main:${path}`);
    },
    async list(directory) {
      await fetchAll();
      const out = await git("ls-tree", `main:${directory}`);
      return out
        .trim()
        .split("\n")
        .map((line) => line.replace(/ \w+ [0-9a-f]+\t/, " "));
    },
    async close() {
      repository.close();
      await fetchAll();
      try {
        await git("fsck", "--strict", "--full", "--no-dangling");
      } finally {
        await rm(here, { recursive: true, force: true });
      }
    },
  };
}
