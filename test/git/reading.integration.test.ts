import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { openRemoteRepository, type RemoteRepository, type RemoteRepositoryOptions } from "../../src/git/repository.ts";
import { planOf } from "../contracts/git-repository.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";

const { signal } = new AbortController();
const APPS = 100;
const pathOf = (app: number): string => `apps/team-${app % 5}/app-${app}/overlays/dev/kustomization.yaml`;
const paths = Array.from({ length: APPS }, (_, app) => pathOf(app));

describe("reading over the wire", () => {
  let server: GitServer;
  let git: RemoteRepository;
  const open = (options: Partial<RemoteRepositoryOptions> = {}): RemoteRepository =>
    openRemoteRepository({ ambient: systemAmbient }, { url: server.url("gitops"), ...options });
  const edit = (app: number, tag: string): Promise<string> =>
    server.commit("gitops", { [pathOf(app)]: `${"# same\n".repeat(50)}newTag: ${tag}\n` }, `app ${app}`);

  beforeEach(async () => {
    server = await startGitServer();
    const files = Object.fromEntries(paths.map((path, app) => [path, `${"# same\n".repeat(50)}newTag: 1.${app}\n`]));
    await server.createRepository("gitops", { ...files, "apps/short.yaml": "short\n" });
    git = open();
  });
  afterEach(async () => {
    git.close();
    await server.close();
  });

  it("reads a hundred cold paths in as many requests as their depth, and again in none", async () => {
    const tip = await git.tip("main", signal);
    const files = await git.readFiles(tip, [...paths, "apps/short.yaml"], signal);
    expect(files.size).toBe(APPS + 1);
    // Capabilities, the branch, the commit, six levels of trees, the files.
    expect(server.stats()).toMatchObject({ requests: 10, kinds: { discover: 1, "ls-refs": 1, fetch: 8 } });
    server.resetStats();
    await git.readFiles(tip, paths, signal);
    expect(server.stats().requests).toBe(0);
  });

  it("writes a warm bump with one request besides the look at the branch", async () => {
    const first = await git.tip("main", signal);
    await git.readFiles(first, [pathOf(7)], signal);
    for (const tag of ["2.0", "2.1", "2.2"]) {
      server.resetStats();
      const tip = await git.tip("main", signal);
      await git.readFiles(tip, [pathOf(7)], signal);
      const prepared = await git.prepare("main", tip, [planOf({ [pathOf(7)]: `newTag: ${tag}\n` })], signal);
      expect(await git.push(prepared, signal)).toEqual({ kind: "landed" });
      expect(server.stats().kinds).toEqual({ discover: 0, "ls-refs": 1, fetch: 0, push: 1, other: 0 });
    }
    await server.fsck("gitops");
  });

  it("reads packs with deltas in them", async () => {
    for (let app = 0; app < 20; app++) await edit(app, "2.0");
    await server.git("gitops", "repack", "-adfq", "--depth=50", "--window=50");
    const verified = await server.git("gitops", "count-objects", "-v");
    expect(verified).toContain("packs: 1");
    const tip = await git.tip("main", signal);
    const files = await git.readFiles(tip, paths, signal);
    expect(new TextDecoder().decode(files.get(pathOf(3)))).toContain("newTag: 2.0");
    expect(new TextDecoder().decode(files.get(pathOf(99)))).toContain("newTag: 1.99");
    expect((await git.lastChange(tip, [pathOf(4)], signal))?.message).toBe("app 4");
  });

  it("compares commits without descending into what is the same", async () => {
    const from = await git.tip("main", signal);
    const to = await edit(7, "2.0");
    server.resetStats();
    expect(await git.changedPaths(from, to, paths, signal)).toEqual([pathOf(7)]);
    expect(server.stats().kinds.fetch).toBeLessThanOrEqual(7);
    // Both commits, and on each side the trees on the one path: nothing of the other 99 applications.
    expect(server.stats().bytesOut).toBeLessThan(6000);
  });

  it("catches up with a branch that others moved in one request, trees and history included", async () => {
    const base = await git.tip("main", signal);
    await git.readFiles(base, [pathOf(1)], signal);
    for (let app = 1; app < 6; app++) await edit(app, "2.0");
    const tip = await git.tip("main", signal);
    server.resetStats();
    expect((await git.range(base, tip, signal)).commits).toHaveLength(5);
    expect(await git.changedPaths(base, tip, [pathOf(1), pathOf(6)], signal)).toEqual([pathOf(1)]);
    expect(server.stats().kinds.fetch).toBe(1);
    await git.readFiles(tip, [pathOf(1)], signal);
    expect(server.stats().kinds.fetch).toBe(2);
    expect(server.stats().bytesOut).toBeLessThan(12_000);
  });

  it("does not catch up from a commit that a forced push has removed, or that leads elsewhere", async () => {
    const base = await git.tip("main", signal);
    const gone = await edit(1, "gone");
    await git.readFiles(await git.tip("main", signal), [pathOf(1)], signal);
    await server.git("gitops", "update-ref", "refs/heads/main", base);
    const other = await edit(2, "other");
    expect(await git.changedPaths(base, other, [pathOf(1), pathOf(2)], signal)).toEqual([pathOf(2)]);
    expect((await git.range(gone, other, signal)).commits.map(({ oid }) => oid)).toEqual([other]);
    await git.readFiles(await git.tip("main", signal), [pathOf(2)], signal);
    await server.git("gitops", "update-ref", "refs/heads/main", base);
    await server.git("gitops", "reflog", "expire", "--expire=now", "--all");
    await server.git("gitops", "gc", "--quiet", "--prune=now");
    const last = await edit(3, "last");
    server.resetStats();
    expect((await git.readFiles(await git.tip("main", signal), [pathOf(3)], signal)).size).toBe(1);
    expect(await git.changedPaths(base, last, [pathOf(2), pathOf(3)], signal)).toEqual([pathOf(3)]);
    expect(server.stats().bytesOut).toBeLessThan(6000);
  });

  it("gets the new commits of a branch in one request, and knows them from then on", async () => {
    const base = await git.tip("main", signal);
    for (let app = 0; app < 5; app++) await edit(app, "2.0");
    const tip = await git.tip("main", signal);
    server.resetStats();
    expect((await git.range(base, tip, signal)).commits).toHaveLength(5);
    expect(await git.isAncestor(base, tip, signal)).toBe(true);
    expect(await git.range(base, tip, signal)).toMatchObject({ connected: true });
    expect(server.stats().requests).toBe(1);
  });

  it("lists both sides of a merge, and nothing that the base had", async () => {
    const base = await git.tip("main", signal);
    const left = await edit(1, "left");
    await server.git("gitops", "branch", "side", base);
    const right = await server.commit("gitops", { [pathOf(2)]: "right\n" }, "right", "side");
    const tree = (await server.git("gitops", "rev-parse", "main^{tree}")).trim();
    const who = ["-c", "user.name=m", "-c", "user.email=m@example.com"];
    const made = await server.git("gitops", ...who, "commit-tree", "-p", left, "-p", right, "-m", "merge", tree);
    const merge = made.trim();
    await server.git("gitops", "update-ref", "refs/heads/main", merge);
    expect((await git.range(base, merge, signal)).commits.map(({ oid }) => oid).toSorted()).toEqual(
      [left, right, merge].toSorted(),
    );
    expect((await git.range(left, merge, signal)).commits.map(({ oid }) => oid)).toEqual([merge, right]);
    expect(await git.isAncestor(right, merge, signal)).toBe(true);
    expect(await git.isAncestor(right, left, signal)).toBe(false);
  });

  it("finds the end of a range only within its limit, but an ancestor far beyond it", async () => {
    const base = await git.tip("main", signal);
    const stream = Array.from({ length: 1100 }, (_, i) => {
      const from = i === 0 ? `from ${base}\n` : "";
      return `commit refs/heads/main\ncommitter A <a@example.com> ${1_700_100_000 + i} +0000\ndata 2\nc\n${from}\n`;
    });
    await server.importStream("gitops", stream.join(""));
    const tip = await git.tip("main", signal);
    expect((await git.range(base, tip, signal)).connected).toBe(false);
    expect(await git.isAncestor(base, tip, signal)).toBe(true);
    // An id that the server has never seen takes one more question, not the whole history.
    server.resetStats();
    expect(await open().isAncestor("1".repeat(40), tip, signal)).toBe(false);
    expect(server.stats().kinds.fetch).toBe(2);
  });

  it("keeps no more objects than the store may hold, and still answers", async () => {
    const small = open({ storeBytes: 2000 });
    const tip = await small.tip("main", signal);
    expect((await small.readFiles(tip, paths, signal)).size).toBe(APPS);
    expect((await small.readFiles(tip, paths.slice(0, 3), signal)).size).toBe(3);
    small.close();
  });

  it("asks again what a server can do after it broke the protocol", async () => {
    await git.tip("main", signal);
    server.failNext("ls-refs", { kind: "answer", status: 200, body: "<html>maintenance</html>" });
    await expect(git.tip("main", signal)).rejects.toMatchObject({ code: "git-protocol" });
    server.resetStats();
    await git.tip("main", signal);
    expect(server.stats().kinds.discover).toBe(1);
  });

  it("refuses a file and an answer beyond the limits", async () => {
    const noise = Array.from({ length: 4000 }, (_, i) => `${(i * 7919) % 104_729}`).join(" ");
    await server.commit("gitops", { "large.txt": noise }, "large");
    const tip = await git.tip("main", signal);
    const object = open({ maxObjectBytes: 10_000 });
    await expect(object.readFiles(tip, ["large.txt"], signal)).rejects.toMatchObject({ code: "git-too-large" });
    const answer = open({ maxResponseBytes: 5000 });
    await expect(answer.readFiles(tip, ["large.txt"], signal)).rejects.toMatchObject({ code: "git-too-large" });
    object.close();
    answer.close();
  });
});
