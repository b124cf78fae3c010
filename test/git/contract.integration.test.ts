import { systemAmbient } from "../../src/ambient.ts";
import { openHttpRepository } from "../../src/git/repository.ts";
import { gitRepositoryContract } from "../contracts/git-repository.ts";
import { startGitServer } from "../fakes/git-http-server.ts";

gitRepositoryContract("the lazy engine over git http-backend", async (seed) => {
  const server = await startGitServer();
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
});
