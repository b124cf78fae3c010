import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemAmbient } from "../../src/ambient.ts";
import { openRemoteRepository } from "../../src/git/repository.ts";
import { commitFiles, initBare, runGit, type SeedFile } from "../fakes/bare-repository.ts";
import type { GitSubject } from "./git-repository.ts";

/** Gitea takes a token as a password. */
interface GiteaLogin {
  username: string;
  password: string;
}

let made = 0;

/** What the git contract is about: a new repository on the server, and a bare one here through which others push. */
export async function giteaSubject(
  { origin, user }: { origin: string; user: GiteaLogin },
  seed: Readonly<Record<string, SeedFile>>,
): Promise<GitSubject> {
  const name = `contract-${process.pid}-${++made}`;
  const authorization = `Basic ${Buffer.from(`${user.username}:${user.password}`).toString("base64")}`;
  const created = await fetch(`${origin}/api/v1/user/repos`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({ name, default_branch: "main", private: true }),
  });
  if (!created.ok) throw new Error(`Gitea: ${created.status} ${await created.text()}`);

  const url = `${origin}/${user.username}/${name}.git`;
  const here = await mkdtemp(join(tmpdir(), "gitspan-gitea-"));
  const git = async (...args: string[]): Promise<string> =>
    (await runGit(["-c", `http.extraHeader=Authorization: ${authorization}`, ...args], { cwd: here })).toString();
  const fetchAll = (): Promise<string> => git("fetch", "--quiet", url, "+refs/heads/*:refs/heads/*");
  await initBare(here);
  await commitFiles(here, seed, "start");
  await git("push", "--quiet", url, "main");

  const repository = openRemoteRepository({ ambient: systemAmbient }, { url, credentials: async () => user });
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
        await fetch(`${origin}/api/v1/repos/${user.username}/${name}`, {
          method: "DELETE",
          headers: { authorization },
        });
      }
    },
  };
}
