import { chmod, readFile } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { openRemoteRepository, type RemoteRepository } from "../../src/git/repository.ts";
import { gitRepositoryContract, planOf } from "../contracts/git-repository.ts";
import { startGitServer } from "../fakes/git-http-server.ts";
import { type Sshd, startSshd, whyNoSshd } from "./sshd.ts";

const reason = await whyNoSshd();
if (reason !== undefined) console.warn(`skipped: Git over a real sshd: ${reason}`);
const { signal } = new AbortController();

describe.skipIf(reason !== undefined)("a real sshd", () => {
  const closing: (() => Promise<void> | void)[] = [];
  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
  });
  const open = (sshd: Sshd, path: string): RemoteRepository => {
    const key = async () => ({ privateKey: await readFile(sshd.key, "utf8") });
    const ssh = { key, knownHosts: () => readFile(sshd.knownHosts, "utf8") };
    return openRemoteRepository({ ambient: systemAmbient }, { url: sshd.url(path), ssh });
  };

  for (const [name, options] of [
    ["with Debian's defaults: version 0", {}],
    [
      "that passes on GIT_PROTOCOL, its name hashed in known_hosts: version 2",
      { acceptEnv: "GIT_PROTOCOL", hashed: true },
    ],
  ] as const) {
    gitRepositoryContract(`the engine over sshd ${name}`, async (seed) => {
      const [sshd, server] = await Promise.all([startSshd(options), startGitServer()]);
      await server.createRepository("gitops", seed);
      const repository = open(sshd, server.dir("gitops"));
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
        close: async () => {
          await server.fsck("gitops");
          repository.close();
          await Promise.all([sshd.close(), server.close()]);
        },
      };
    });
  }

  it("is not trusted with a key that is not pinned, and says that a repository is not there", async () => {
    const [one, two, server] = await Promise.all([startSshd(), startSshd(), startGitServer()]);
    closing.push(
      () => one.close(),
      () => two.close(),
      () => server.close(),
    );
    await server.createRepository("gitops", { "a/b": "c\n" });
    const path = server.dir("gitops");
    const text = (await readFile(two.knownHosts, "utf8")).replace(/:\d+/, `:${new URL(one.url(path)).port}`);
    const key = async () => ({ privateKey: await readFile(one.key, "utf8") });
    const ssh = { key, knownHosts: async () => text };
    const mistaken = openRemoteRepository({ ambient: systemAmbient }, { url: one.url(path), ssh });
    closing.push(() => mistaken.close());
    await expect(mistaken.tip("main", signal)).rejects.toThrow(/which is not the one that is known/);
    const missing = open(one, "/nowhere.git");
    closing.push(() => missing.close());
    await expect(missing.tip("main", signal)).rejects.toMatchObject({ code: "git-not-found" });
  });

  it("passes on what a hook says", async () => {
    const [sshd, server] = await Promise.all([startSshd(), startGitServer()]);
    await server.createRepository("gitops", { "a/b": "c\n" });
    await server.hook("gitops", "pre-receive", "echo 'frozen until Monday' >&2; exit 1");
    await chmod(server.root, 0o755);
    const git = open(sshd, server.dir("gitops"));
    closing.push(
      () => sshd.close(),
      () => server.close(),
      () => git.close(),
    );
    const prepared = await git.prepare("main", await git.tip("main", signal), [planOf({ "a/b": "d\n" })], signal);
    expect(await git.push(prepared, signal)).toMatchObject({
      kind: "refused",
      reason: "hook-declined",
      message: expect.stringContaining("frozen until Monday"),
    });
  });
});
