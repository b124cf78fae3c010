import { afterAll } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { openRemoteRepository, type RemoteRepository } from "../../src/git/repository.ts";
import { type GitSubject, gitRepositoryContract } from "../contracts/git-repository.ts";
import type { SeedFile } from "../fakes/bare-repository.ts";
import { GIT_SERVER_MODES, type GitServer, type GitServerMode, startGitServer } from "../fakes/git-http-server.ts";
import { newSshKey, startGitSshServer } from "../fakes/git-ssh-server.ts";

/** One server of each kind for all tests; each test has a repository of its own. */
const servers = new Map<GitServerMode, Promise<GitServer>>();
let repositories = 0;

afterAll(async () => {
  for (const server of servers.values()) await (await server).close();
});

for (const mode of GIT_SERVER_MODES) {
  gitRepositoryContract(`the engine over git http-backend (${mode})`, (seed) => subject(mode, seed, overHttp));
}

for (const acceptsProtocol of [true, false]) {
  const how = acceptsProtocol ? "version 2" : "version 0, as sshd passes on no GIT_PROTOCOL by default";
  gitRepositoryContract(`the engine over SSH (${how})`, (seed) => subject("lazy", seed, overSsh(acceptsProtocol)));
}

type Open = (server: GitServer, name: string) => Promise<{ repository: RemoteRepository; close: () => Promise<void> }>;

async function overHttp(server: GitServer, name: string): ReturnType<Open> {
  const repository = openRemoteRepository({ ambient: systemAmbient }, { url: server.url(name) });
  return { repository, close: async () => repository.close() };
}

function overSsh(acceptsProtocol: boolean): Open {
  return async ({ root }, name) => {
    const { privateKey, publicKey } = newSshKey();
    const server = await startGitSshServer({ root, authorized: publicKey, acceptsProtocol });
    const ssh = { key: async () => ({ privateKey }), knownHosts: async () => server.knownHosts };
    const repository = openRemoteRepository({ ambient: systemAmbient }, { url: server.url(name), ssh });
    const close = async (): Promise<void> => {
      repository.close();
      await server.close();
    };
    return { repository, close };
  };
}

async function subject(mode: GitServerMode, seed: Readonly<Record<string, SeedFile>>, open: Open): Promise<GitSubject> {
  const starting = servers.get(mode) ?? startGitServer({ mode });
  servers.set(mode, starting);
  const server = await starting;
  const name = `gitops-${++repositories}`;
  await server.createRepository(name, seed);
  const { repository, close } = await open(server, name);
  return {
    repository,
    commit: (files, message, branch) => server.commit(name, files, message, branch),
    reset: async (commit) => void (await server.git(name, "update-ref", "refs/heads/main", commit)),
    show: (path) => server.show(name, "main", path),
    list: async (directory) => {
      const out = await server.git(name, "ls-tree", `main:${directory}`);
      return out
        .trim()
        .split("\n")
        .map((line) => line.replace(/ \w+ [0-9a-f]+\t/, " "));
    },
    // Whatever a test did, git itself finds nothing wrong with it.
    close: async () => {
      try {
        await server.fsck(name);
      } finally {
        await close();
      }
    },
  };
}
