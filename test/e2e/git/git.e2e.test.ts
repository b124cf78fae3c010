import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemAmbient } from "../../../src/ambient.ts";
import type { GitRepository } from "../../../src/delivery/ports.ts";
import { openRemoteRepository } from "../../../src/git/repository.ts";
import type { PushResult } from "../../../src/model/git.ts";
import { gitRepositoryContract, planOf } from "../../contracts/git-repository.ts";
import { giteaSubject } from "../../contracts/gitea-subject.ts";
import { giteaTokenFile } from "../cluster/parts/gitea.ts";
import { environment, notOurs, runId, secretIn } from "../fixtures/environment.ts";
import { GitopsRepository } from "../fixtures/gitops-repository.ts";

const { signal } = new AbortController();
const FILE = "apps/web/kustomization.yaml";

if (notOurs !== undefined) console.log(`git/git.e2e.test.ts is skipped: ${notOurs}`);

describe.skipIf(notOurs !== undefined)("the cluster's Gitea", () => {
  gitRepositoryContract("the engine over it", (seed) => {
    const user = { username: "gitea-admin", password: secretIn(environment.giteaTokenFile) };
    return giteaSubject({ origin: environment.gitea, user }, seed);
  });

  describe("and what it refuses", () => {
    let gitops: GitopsRepository;
    const opened: { close(): void }[] = [];
    beforeAll(async () => {
      gitops = await GitopsRepository.create(`refusals-${runId}`, { [FILE]: "images: []\n", "README.md": "# shop\n" });
    });
    afterAll(async () => {
      for (const one of opened) one.close();
      await gitops?.close();
    });

    function engine(password: string | undefined, url = gitops.url): GitRepository {
      const credentials = async () => (password === undefined ? undefined : { username: "oauth2", password });
      const repository = openRemoteRepository({ ambient: systemAmbient }, { url, credentials });
      opened.push(repository);
      return repository;
    }

    async function bump(
      git: GitRepository,
      branch = "main",
      text = `images: [${Math.random()}]\n`,
    ): Promise<PushResult> {
      const base = await git.tip(branch, signal);
      return await git.push(await git.prepare(branch, base, [planOf({ [FILE]: text })], signal), signal);
    }

    const bot = () => engine(secretIn(environment.gitTokenFile));

    it("lets a user write who may", async () => {
      const before = gitops.tip();
      expect(await bump(bot())).toMatchObject({ kind: "landed" });
      expect(gitops.tip()).not.toBe(before);
    });

    it("refuses a reader, a wrong token and nobody, and nothing is written", async () => {
      const before = gitops.tip();
      const reader = secretIn(giteaTokenFile("reader"));
      expect(await bump(engine(reader))).toMatchObject({ kind: "refused", reason: "auth" });
      expect(await bump(engine(undefined))).toMatchObject({ kind: "refused", reason: "auth" });
      await expect(bump(engine("0123456789abcdef0123456789abcdef01234567"))).rejects.toMatchObject({
        code: "git-auth",
      });
      expect(gitops.tip()).toBe(before);
    });

    it("says that a repository or branch is not there", async () => {
      const token = secretIn(environment.gitTokenFile);
      const missing = `${environment.gitea}/platform/nothing-${runId}.git`;
      await expect(bump(engine(token, missing))).rejects.toMatchObject({ code: "git-not-found" });
      await expect(bump(bot(), "nowhere")).rejects.toMatchObject({ code: "git-branch-missing" });
    });

    it("tells of a protected branch in the server's words, and lets in who is on its list", async () => {
      const before = gitops.tip();
      await gitops.protect({ enable_push: false });
      const result = await bump(bot());
      expect(result).toMatchObject({ kind: "refused", reason: "protected" });
      expect(result).toHaveProperty("message", expect.stringMatching(/protected branch/i));
      await gitops.protect({ enable_push: true, enable_push_whitelist: true, push_whitelist_usernames: ["bot"] });
      expect(gitops.tip()).toBe(before);
      expect(await bump(bot())).toMatchObject({ kind: "landed" });
      await gitops.protect(undefined);
    });

    it("protects single files", async () => {
      await gitops.protect({ enable_push: true, protected_file_patterns: "apps/**" });
      expect(await bump(bot())).toMatchObject({ kind: "refused" });
      await gitops.protect(undefined);
      expect(await bump(bot())).toMatchObject({ kind: "landed" });
    });

    it("knows a lost race from a refusal, and the winner's commit stays", async () => {
      const git = bot();
      const base = await git.tip("main", signal);
      const late = await git.prepare("main", base, [planOf({ [FILE]: "images: [late]\n" })], signal);
      const winner = gitops.commit("docs: faster", { "README.md": (text) => `${text}faster\n` });
      expect(await git.push(late, signal)).toMatchObject({ kind: "lost-race" });
      expect(gitops.tip()).toBe(winner);
      expect(await bump(git)).toMatchObject({ kind: "landed" });
    });

    it("takes a hundred commits in one push, and git finds nothing wrong with them", async () => {
      const git = bot();
      const plans = Array.from({ length: 100 }, (_, number) => planOf({ [FILE]: `images: [n${number}]\n` }));
      const prepared = await git.prepare("main", await git.tip("main", signal), plans, signal);
      expect(await git.push(prepared, signal)).toMatchObject({ kind: "landed" });
      expect(gitops.tip()).toBe(prepared.head);
      expect(gitops.history().slice(0, 100)).toEqual(prepared.commits.toReversed());
      expect(gitops.git("fsck", "--strict", "--full", "--no-dangling").trim()).toBe("");
    });
  });
});
