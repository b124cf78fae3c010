import { systemAmbient } from "../../src/ambient.ts";
import { openRemoteRepository, type RemoteRepository } from "../../src/git/repository.ts";
import { type GitSubject, gitRepositoryContract } from "../contracts/git-repository.ts";
import type { SeedFile } from "../fakes/bare-repository.ts";
import { GIT_SERVER_MODES, type GitServer, type GitServerMode, startGitServer } from "../fakes/git-http-server.ts";
import { newSshKey, startGitSshServer } from "../fakes/git-ssh-server.ts";

for (const mode of GIT_SERVER_MODES) {
  gitRepositoryContract(`the engine over git http-backend (${mode})`, (seed) => subject(mode, seed, overHttp));
}

for (const acceptsProtocol of [true, false]) {
  const how = acceptsProtocol ? "version 2" : "version 0, as sshd passes on no GIT_PROTOCOL by default";
  gitRepositoryContract(`the engine over SSH (${how})`, (seed) => subject("lazy", seed, overSsh(acceptsProtocol)));
}

type Open = (server: GitServer) => Promise<{ repository: RemoteRepository; close: () => Promise<void> }>;

async function overHttp(server: GitServer): ReturnType<Open> {
  const repository = openRemoteRepository({ ambient: systemAmbient }, { url: server.url("gitops") });
  return { repository, close: async () => repository.close() };
}

function overSsh(acceptsProtocol: boolean): Open {
  return async ({ root }) => {
    const { privateKey, publicKey } = newSshKey();
    const server = await startGitSshServer({ root, authorized: publicKey, acceptsProtocol });
    const ssh = { key: async () => ({ privateKey }), knownHosts: async () => server.knownHosts };
    const repository = openRemoteRepository({ ambient: systemAmbient }, { url: server.url("gitops"), ssh });
    const close = async (): Promise<void> => {
      repository.close();
      await server.close();
    };
    return { repository, close };
  };
}

async function subject(mode: GitServerMode, seed: Readonly<Record<string, SeedFile>>, open: Open): Promise<GitSubject> {
  const server = await startGitServer({ mode });
  await server.createRepository("gitops", seed);
  const { repository, close } = await open(server);
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
        await close();
        await server.close();
      }
    },
  };
}
