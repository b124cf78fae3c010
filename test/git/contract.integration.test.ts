import { systemAmbient } from "../../src/ambient.ts";
import { openHttpRepository } from "../../src/git/repository.ts";
import { type GitSubject, gitRepositoryContract } from "../contracts/git-repository.ts";
import type { SeedFile } from "../fakes/bare-repository.ts";
import { GIT_SERVER_MODES, type GitServerMode, startGitServer } from "../fakes/git-http-server.ts";

for (const mode of GIT_SERVER_MODES) {
  gitRepositoryContract(`the engine over git http-backend (${mode})`, (seed) => subject(mode, seed));
}

async function subject(mode: GitServerMode, seed: Readonly<Record<string, SeedFile>>): Promise<GitSubject> {
  const server = await startGitServer({ mode });
  await server.createRepository("gitops", seed);
  const repository = openHttpRepository({ ambient: systemAmbient }, { url: server.url("gitops") });
  return {
    repository,
    commit: (files, message, branch) => server.commit("gitops", files, message, branch),
    reset: async (commit) => void (await server.git("gitops", "update-ref", "refs/heads/main", commit)),
    show: (path) => server.show("gitops", "main", path),
    list: async (directory) => {
      const out = await server.git("gitops", "ls-tree", `main:${directory}`);
      return out
        .trim()
        .split("\n")
        .map((line) => line.replace(/ \w+ [0-9a-f]+\t/, " "));
    },
    // Whatever a test did, git itself finds nothing wrong with it.
    close: async () => {
      try {
        await server.fsck("gitops");
      } finally {
        repository.close();
        await server.close();
      }
    },
  };
}
