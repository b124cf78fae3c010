/** What every GitRepository does, whatever it is made of. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { GitRepository } from "../../src/delivery/ports.ts";
import type { CommitPlan, Oid, PreparedPush } from "../../src/model/git.ts";
import type { SeedFile } from "../fakes/bare-repository.ts";
import { listingTests } from "./git-listing.ts";

export interface GitSubject {
  repository: GitRepository;
  /** What somebody else commits to a branch. */
  commit(files: Readonly<Record<string, SeedFile>>, message: string, branch?: string): Promise<Oid>;
  /** Moves a branch by force. */
  reset(commit: Oid): Promise<void>;
  show(path: string): Promise<string>;
  /** `mode name` of a directory's entries in the tree's order. */
  list(directory: string): Promise<string[]>;
  close(): Promise<void>;
}

const { signal } = new AbortController();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (content: Uint8Array | undefined): string => new TextDecoder().decode(content);

/** A plan by the bot; the time only has to be a time. */
export function planOf(files: Record<string, string>, message = "deploy(app): dev 1.0.1"): CommitPlan {
  const who = { name: "gitspan", email: "gitspan@example.com" };
  const content = new Map(Object.entries(files).map(([path, value]) => [path, bytes(value)]));
  return { files: content, message, author: who, committer: who, time: 1_750_000_000_999 };
}

const SEED: Record<string, SeedFile> = {
  "README.md": "# gitops\n",
  "apps/checkout/base/kustomization.yaml": "resources: []\n",
  "apps/checkout/overlays/dev/kustomization.yaml": "newTag: 1.0.0\n",
  "apps/checkout/overlays/prod/kustomization.yaml": "newTag: 0.9.0\n",
  "apps/checkout.yaml": "kind: Application\n",
  "apps/checkout0": "sorts after the directory\n",
  "bin/run.sh": { content: "#!/bin/sh\n", mode: "100755" },
  "link/target": { content: "../apps", mode: "120000" },
  "linked-dir": { content: "apps/checkout", mode: "120000" },
  "vendor/lib": { content: "1".repeat(40), mode: "160000" },
};
const DEV = "apps/checkout/overlays/dev/kustomization.yaml";
const PROD = "apps/checkout/overlays/prod/kustomization.yaml";

export function gitRepositoryContract(name: string, makeSubject: (seed: typeof SEED) => Promise<GitSubject>): void {
  describe(`${name} as a GitRepository`, () => {
    let subject: GitSubject;
    let git: GitRepository;
    beforeEach(async () => {
      subject = await makeSubject(SEED);
      git = subject.repository;
    });
    afterEach(() => subject.close());

    const tip = (): Promise<Oid> => git.tip("main", signal);
    const prepare = async (...plans: CommitPlan[]): Promise<PreparedPush> =>
      git.prepare("main", await tip(), plans, signal);

    it("reads several files of different depth at once", async () => {
      const files = await git.readFiles(await tip(), ["README.md", DEV, PROD, "bin/run.sh"], signal);
      expect(text(files.get("README.md"))).toBe("# gitops\n");
      expect(text(files.get(DEV))).toBe("newTag: 1.0.0\n");
      expect(text(files.get(PROD))).toBe("newTag: 0.9.0\n");
      expect(text(files.get("bin/run.sh"))).toBe("#!/bin/sh\n");
    });

    it("gives no entry for a path that is missing, a directory, or below a file", async () => {
      const paths = ["nothing", "apps/nothing/here", "apps/checkout", "README.md/inside", DEV];
      expect([...(await git.readFiles(await tip(), paths, signal)).keys()]).toEqual([DEV]);
    });

    it("gives copies: changing what was read changes nothing", async () => {
      const commit = await tip();
      (await git.readFiles(commit, [DEV], signal)).get(DEV)?.fill(0);
      expect(text((await git.readFiles(commit, [DEV], signal)).get(DEV))).toBe("newTag: 1.0.0\n");
    });

    it.each(["../README.md", "/README.md", "apps//x", "apps/./x", "", ".git/config", "apps/.GIT/x", "a\0b", "x/"])(
      "refuses the path %j",
      async (path) => {
        await expect(git.readFiles(await tip(), [path], signal)).rejects.toMatchObject({ code: "git-path-unsafe" });
      },
    );

    it.each(["link/target", "linked-dir/base/kustomization.yaml", "vendor/lib", "vendor/lib/file"])(
      "refuses to read or write through the link or submodule at %s",
      async (path) => {
        const unsafe = { code: "git-path-unsafe", at: { file: path } };
        await expect(git.readFiles(await tip(), [path], signal)).rejects.toMatchObject(unsafe);
        await expect(prepare(planOf({ [path]: "x" }))).rejects.toMatchObject(unsafe);
      },
    );

    listingTests(() => subject, SEED);
    it("says which branch is missing", async () => {
      await expect(git.tip("nowhere", signal)).rejects.toMatchObject({ code: "git-branch-missing" });
    });

    it("says that a commit is not there", async () => {
      const reading = git.readFiles("1".repeat(40), [DEV], signal);
      await expect(reading).rejects.toMatchObject({ code: "git-not-found" });
    });

    it("stops when it is told to", async () => {
      const stopped = AbortSignal.abort(new Error("stop"));
      await expect(git.tip("main", stopped)).rejects.toThrow("stop");
    });

    it("tells which paths differ in content, mode or existence", async () => {
      const from = await tip();
      const to = await subject.commit(
        {
          [DEV]: "newTag: 1.0.1\n",
          "bin/run.sh": { content: "#!/bin/sh\n", mode: "100644" },
          "apps/checkout/base/kustomization.yaml": null,
          "apps/checkout/overlays/test/kustomization.yaml": "new\n",
        },
        "by hand",
      );
      const paths = [
        "apps/checkout/base/kustomization.yaml",
        DEV,
        PROD,
        "apps/checkout/overlays/test/kustomization.yaml",
        "bin/run.sh",
        "README.md",
        "nothing",
      ];
      const changed = [paths[0], paths[1], paths[3], paths[4]];
      expect(await git.changedPaths(from, to, paths, signal)).toEqual(changed);
      expect(await git.changedPaths(to, from, paths, signal)).toEqual(changed);
      expect(await git.changedPaths(to, to, paths, signal)).toEqual([]);
    });

    it("lists what the tip has and the base lacks, newest first", async () => {
      const base = await tip();
      const one = await subject.commit({ [DEV]: "1\n" }, "one\n\nbody\n");
      const two = await subject.commit({ [DEV]: "2\n" }, "two\n");
      const range = await git.range(base, two, signal);
      expect(range.connected).toBe(true);
      expect(range.commits.map(({ oid }) => oid)).toEqual([two, one]);
      expect(range.commits[1]).toMatchObject({
        message: "one\n\nbody\n",
        parents: [base],
        author: "Somebody Else <else@example.com>",
      });
      expect(range.commits.every(({ committedAt }) => committedAt > 1_600_000_000_000)).toBe(true);
      expect(await git.range(two, two, signal)).toEqual({ commits: [], connected: true });
    });

    it("tells a commit's history, newest first", async () => {
      const base = await tip();
      const one = await subject.commit({ [DEV]: "1\n" }, "one\n\nGitspan-Delivery: d1\n");
      const two = await subject.commit({ [DEV]: "2\n" }, "two\n");
      const history = await git.history(await tip(), signal);
      expect(history.map(({ oid }) => oid)).toEqual([two, one, base]);
      expect(history[1]?.message).toContain("Gitspan-Delivery: d1");
      expect((await git.history(one, signal)).map(({ oid }) => oid)).toEqual([one, base]);
    });

    it("says that histories are not connected after a forced push, and in the wrong direction", async () => {
      const base = await tip();
      const gone = await subject.commit({ [DEV]: "gone\n" }, "gone");
      await subject.reset(base);
      const other = await subject.commit({ [DEV]: "other\n" }, "other");
      const range = await git.range(gone, other, signal);
      expect(range.connected).toBe(false);
      expect(range.commits.map(({ oid }) => oid)).toEqual([other]);
      expect(await git.range(other, base, signal)).toEqual({ commits: [], connected: false });
      expect((await git.range("1".repeat(40), other, signal)).connected).toBe(false);
    });

    it("knows ancestors", async () => {
      const base = await tip();
      const child = await subject.commit({ [DEV]: "1\n" }, "one");
      const grandchild = await subject.commit({ [DEV]: "2\n" }, "two");
      expect(await git.isAncestor(base, grandchild, signal)).toBe(true);
      expect(await git.isAncestor(child, child, signal)).toBe(true);
      expect(await git.isAncestor(grandchild, base, signal)).toBe(false);
      expect(await git.isAncestor("1".repeat(40), grandchild, signal)).toBe(false);
      await subject.reset(base);
      const fork = await subject.commit({ [PROD]: "3\n" }, "fork");
      expect(await git.isAncestor(grandchild, fork, signal)).toBe(false);
    });

    it("finds the commit that last changed a path", async () => {
      const first = await tip();
      const dev = await subject.commit({ [DEV]: "1\n" }, "dev");
      const prod = await subject.commit({ [PROD]: "1\n" }, "prod");
      const end = await subject.commit({ "README.md": "other\n" }, "readme");
      expect((await git.lastChange(end, [DEV], signal))?.oid).toBe(dev);
      expect((await git.lastChange(end, [DEV, PROD], signal))?.oid).toBe(prod);
      expect((await git.lastChange(end, ["bin/run.sh"], signal))?.oid).toBe(first);
      expect(await git.lastChange(end, ["nothing"], signal)).toBeUndefined();
    });

    it("does not search for the last change for ever", async () => {
      await git.push(await prepare(...Array.from({ length: 51 }, (_, i) => planOf({ "README.md": `${i}\n` }))), signal);
      expect(await git.lastChange(await tip(), [DEV], signal)).toBeUndefined();
    });

    it("lands a prepared commit with the id it named before", async () => {
      const base = await tip();
      const prepared = await prepare(planOf({ [DEV]: "newTag: 1.0.1\n" }, "deploy\n\nbody\n\n\n"));
      expect(prepared).toMatchObject({ branch: "main", base, head: prepared.commits[0] });
      expect(await tip()).toBe(base);
      expect(await git.push(prepared, signal)).toMatchObject({ kind: "landed" });
      expect(await tip()).toBe(prepared.head);
      expect(await subject.show(DEV)).toBe("newTag: 1.0.1\n");
      const [commit] = (await git.range(base, prepared.head, signal)).commits;
      expect(commit).toMatchObject({
        message: "deploy\n\nbody\n",
        author: "gitspan <gitspan@example.com>",
        committedAt: 1_750_000_000_000,
        parents: [base],
      });
      expect(await git.changedPaths(base, prepared.head, [DEV, PROD], signal)).toEqual([DEV]);
    });

    it("chains commits, each changing only its own files", async () => {
      const base = await tip();
      const prepared = await prepare(
        planOf({ [DEV]: "a\n", "README.md": "b\n" }, "one"),
        planOf({ [PROD]: "c\n" }, "two"),
        planOf({ [DEV]: "d\n" }, "three"),
      );
      expect(await git.push(prepared, signal)).toMatchObject({ kind: "landed" });
      const { commits } = await git.range(base, prepared.head, signal);
      expect(commits.map(({ oid }) => oid)).toEqual(prepared.commits.toReversed());
      expect(await git.changedPaths(prepared.commits[0] ?? "", prepared.commits[1] ?? "", [DEV, PROD], signal)).toEqual(
        [PROD],
      );
      expect(await subject.show(DEV)).toBe("d\n");
      expect(await subject.show("README.md")).toBe("b\n");
    });

    it("loses the race when somebody else was faster, and writes nothing", async () => {
      const prepared = await prepare(planOf({ [DEV]: "ours\n" }));
      const theirs = await subject.commit({ [PROD]: "theirs\n" }, "faster");
      expect(await git.push(prepared, signal)).toMatchObject({ kind: "lost-race" });
      expect(await tip()).toBe(theirs);
      expect(await subject.show(DEV)).toBe("newTag: 1.0.0\n");
    });

    it("says landed again when the same push is sent twice", async () => {
      const prepared = await prepare(planOf({ [DEV]: "once\n" }));
      expect(await git.push(prepared, signal)).toMatchObject({ kind: "landed" });
      expect(await git.push(prepared, signal)).toMatchObject({ kind: "landed" });
      expect(await tip()).toBe(prepared.head);
    });

    it("keeps modes and the order of entries, and puts new files at their place", async () => {
      const prepared = await prepare(
        planOf({
          "bin/run.sh": "#!/bin/sh\nexit 0\n",
          "apps/checkout-new.yaml": "n\n",
          "apps/zz": "z\n",
          "apps/a": "a\n",
        }),
      );
      expect(await git.push(prepared, signal)).toMatchObject({ kind: "landed" });
      expect(await subject.list("bin")).toEqual(["100755 run.sh"]);
      expect(await subject.list("apps")).toEqual([
        "100644 a",
        "100644 checkout-new.yaml",
        "100644 checkout.yaml",
        "040000 checkout",
        "100644 checkout0",
        "100644 zz",
      ]);
      expect(await subject.list("")).toEqual([
        "100644 README.md",
        "040000 apps",
        "040000 bin",
        "040000 link",
        "120000 linked-dir",
        "040000 vendor",
      ]);
    });

    it("writes no file into a directory that is not there, nor over a directory", async () => {
      const missing = { code: "git-path-missing" };
      await expect(prepare(planOf({ "apps/chekcout/x.yaml": "x" }))).rejects.toMatchObject(missing);
      await expect(prepare(planOf({ "README.md/x.yaml": "x" }))).rejects.toMatchObject(missing);
      await expect(prepare(planOf({ "apps/checkout": "x" }))).rejects.toMatchObject(missing);
    });

    it("reads and edits directories with many entries", async () => {
      const many = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`big/file-${i}.yaml`, `v: ${i}\n`]));
      await subject.commit(many, "many");
      const prepared = await prepare(planOf({ "big/file-1500.yaml": "edited\n", "big/file-1500a.yaml": "new\n" }));
      expect(await git.push(prepared, signal)).toMatchObject({ kind: "landed" });
      const paths = ["big/file-0.yaml", "big/file-1500.yaml", "big/file-1500a.yaml", "big/file-2999.yaml"];
      const files = await git.readFiles(prepared.head, paths, signal);
      expect(paths.map((path) => text(files.get(path)))).toEqual(["v: 0\n", "edited\n", "new\n", "v: 2999\n"]);
      expect((await subject.list("big")).length).toBe(3001);
    });
  });
}
