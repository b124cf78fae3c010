/** What every kind of server has to give, at which cost on the wire. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { openRemoteRepository, type RemoteRepository, type RemoteRepositoryOptions } from "../../src/git/repository.ts";
import { planOf } from "../contracts/git-repository.ts";
import { commitFiles, initBare } from "../fakes/bare-repository.ts";
import { GIT_SERVER_MODES, type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { importHistory, noise, pathOf, SIZE, seedFiles } from "./large-repository.ts";

const { signal } = new AbortController();
const text = (content: Uint8Array | undefined): string => new TextDecoder().decode(content);

describe.each(GIT_SERVER_MODES)("a server of the kind %s", (mode) => {
  const old = mode.startsWith("v0");
  /** Of one file on a branch that was moved: what is new; where objects come singly, the file or every level besides. */
  const fetches = { lazy: 2, "no-filter": 1, "tips-only": 1, v0: 1, "v0-filter": 6 };
  /** Version 0 tells its branches only together with what it can do. */
  const look = old ? { discover: 1, "ls-refs": 0 } : { discover: 0, "ls-refs": 1 };
  let server: GitServer;
  let git: RemoteRepository;
  const opened: RemoteRepository[] = [];
  const open = (options: Partial<RemoteRepositoryOptions> = {}): RemoteRepository => {
    const repository = openRemoteRepository({ ambient: systemAmbient }, { url: server.url("gitops"), ...options });
    opened.push(repository);
    return repository;
  };
  const foreign = (app: number, tag: string): Promise<string> =>
    server.commit("gitops", { [pathOf(app)]: noise(app, tag) }, `app ${app} ${tag}`);
  const tip = (): Promise<string> => git.tip("main", signal);
  const bump = async (app: number, tag: string, own = git): Promise<string> => {
    const base = await own.tip("main", signal);
    await own.readFiles(base, [pathOf(app)], signal);
    const prepared = await own.prepare("main", base, [planOf({ [pathOf(app)]: noise(app, tag) })], signal);
    const result = await own.push(prepared, signal);
    return result.kind;
  };

  beforeEach(async () => {
    server = await startGitServer({ mode });
    await server.createRepository("gitops", seedFiles());
    git = open();
  });
  afterEach(async () => {
    for (const repository of opened.splice(0)) repository.close();
    await server.close();
  });

  it("takes a warm bump with one push, besides the look at the branch", async () => {
    expect(await bump(7, "2.0")).toBe("landed");
    for (const tag of ["2.1", "2.2", "2.3"]) {
      server.resetStats();
      expect(await bump(7, tag)).toBe("landed");
      expect(server.stats().kinds).toEqual({ ...look, fetch: 0, push: 1, other: 0 });
    }
    await server.fsck("gitops");
  });

  it("does not send everything again when others, or we, have moved the branch", async () => {
    await git.readFiles(await tip(), [pathOf(1)], signal);
    await bump(2, "ours");
    for (const app of [3, 4]) {
      const moved = await foreign(app, "theirs");
      server.resetStats();
      const files = await git.readFiles(await tip(), [pathOf(app), pathOf(2)], signal);
      expect(text(files.get(pathOf(app)))).toBe(noise(app, "theirs"));
      expect(text(files.get(pathOf(2)))).toBe(noise(2, "ours"));
      // The blob is half of it.
      expect(server.stats().bytesOut).toBeLessThan(SIZE / 20);
      expect(server.stats().kinds.fetch).toBeLessThanOrEqual(fetches[mode]);
      expect(await tip()).toBe(moved);
    }
  });

  it("tells what is new on a branch, and the second time nothing needs to be asked", async () => {
    const base = await tip();
    await git.readFiles(base, [pathOf(1)], signal);
    const made = [await foreign(3, "a"), await foreign(3, "b"), await foreign(4, "c")];
    const now = await tip();
    const range = await git.range(base, now, signal);
    expect(range).toMatchObject({ connected: true });
    expect(range.commits.map(({ oid }) => oid)).toEqual(made.toReversed());
    server.resetStats();
    expect(await git.range(base, now, signal)).toEqual(range);
    expect(await git.isAncestor(base, now, signal)).toBe(true);
    expect(server.stats().requests).toBe(0);
  });

  it("finds both sides of a merge, and nothing that the base had", async () => {
    const base = await tip();
    await git.readFiles(base, [pathOf(1)], signal);
    await server.git("gitops", "branch", "side", base);
    const left = await foreign(1, "left");
    const right = await server.commit("gitops", { [pathOf(2)]: "right\n" }, "right", "side");
    const merge = await mergeOf(left, right);
    const ids = async (from: string): Promise<string[]> =>
      (await git.range(from, merge, signal)).commits.map(({ oid }) => oid).toSorted();
    expect(await ids(base)).toEqual([left, right, merge].toSorted());
    expect(await ids(left)).toEqual([merge, right].toSorted());
    expect(await git.isAncestor(right, merge, signal)).toBe(true);
    expect(await git.isAncestor(right, left, signal)).toBe(false);
  });

  it("does not send the whole history when an old branch is merged", async () => {
    const root = await tip();
    const whole = await importHistory(server, "gitops", 400);
    await git.readFiles(await tip(), [pathOf(1)], signal);
    await server.git("gitops", "branch", "side", root);
    const right = await server.commit("gitops", { [pathOf(2)]: "right\n" }, "right", "side");
    await mergeOf((await server.tip("gitops")) ?? "", right);
    server.resetStats();
    const now = await tip();
    expect((await git.readFiles(now, [pathOf(2)], signal)).size).toBe(1);
    expect(server.stats().bytesOut).toBeLessThan(whole / 2);
  });

  it("finds the end of a range only within its limit, but an ancestor far beyond it", async () => {
    const base = await tip();
    await importHistory(server, "gitops", 1100, { empty: true });
    const now = await tip();
    expect((await git.range(base, now, signal)).connected).toBe(false);
    expect(await git.isAncestor(base, now, signal)).toBe(true);
    expect(await open().isAncestor("1".repeat(40), now, signal)).toBe(false);
    expect((await git.lastChange(now, [pathOf(1)], signal))?.oid).toBeUndefined();
  });

  it("reads a commit that is no branch's any more", async () => {
    const before = await tip();
    await foreign(3, "new");
    const files = await git.readFiles(before, [pathOf(3)], signal);
    expect(text(files.get(pathOf(3)))).toBe(noise(3, "1.0"));
    expect(await git.changedPaths(before, await tip(), [pathOf(3), pathOf(4)], signal)).toEqual([pathOf(3)]);
  });

  it("asks once for what two lanes want at the same time", async () => {
    await server.git("gitops", "branch", "other", "main");
    const one = open();
    await one.readFiles(await one.tip("main", signal), [pathOf(1)], signal);
    const alone = server.stats();
    server.resetStats();
    const [main, other] = await Promise.all([git.tip("main", signal), git.tip("other", signal)]);
    const read = (commit: string): Promise<Map<string, Uint8Array>> => git.readFiles(commit, [pathOf(1)], signal);
    const [first, second] = await Promise.all([read(main), read(other)]);
    expect(first).toEqual(second);
    // That a server breaks its promise is found out by both.
    const more = mode === "tips-only" ? 2 : 0;
    expect(server.stats().kinds.fetch).toBeLessThanOrEqual(alone.kinds.fetch + more);
  });

  it("does not fail the one lane when the other gives up", async () => {
    const now = await tip();
    const release = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    server.failNext("fetch", { kind: "hold", until: release.promise, onHeld: held.resolve });
    const giveUp = new AbortController();
    const first = git.readFiles(now, [pathOf(1)], giveUp.signal);
    await held.promise;
    const second = git.readFiles(now, [pathOf(1)], signal);
    giveUp.abort(new Error("shutting down"));
    await expect(first).rejects.toThrow("shutting down");
    release.resolve();
    expect((await second).size).toBe(1);
  });

  it("loses no commit of writers who try again after every lost race", async () => {
    const write = async (writer: number): Promise<void> => {
      const own = open();
      while ((await bump(writer, "raced", own)) !== "landed");
    };
    await Promise.all([1, 2, 3, 4].map((writer) => write(writer)));
    expect(await server.log("gitops")).toHaveLength(5);
    for (const app of [1, 2, 3, 4]) expect(await server.show("gitops", "main", pathOf(app))).toBe(noise(app, "raced"));
    await server.fsck("gitops");
  });

  it("has no branches while it is empty, and says so", async () => {
    await initBare(server.dir("empty"));
    const empty = open({ url: server.url("empty") });
    await expect(empty.tip("main", signal)).rejects.toMatchObject({ code: "git-branch-missing" });
  });

  it("cannot be used with sha256 ids, and says so", async () => {
    await server.git("gitops", "init", "--quiet", "--bare", "--object-format=sha256", server.dir("sha256"));
    await commitFiles(server.dir("sha256"), { a: "b\n" }, "start");
    await expect(open({ url: server.url("sha256") }).tip("main", signal)).rejects.toMatchObject({
      code: "git-unsupported",
      message: expect.stringContaining("sha256"),
    });
  });

  async function mergeOf(left: string, right: string): Promise<string> {
    const tree = (await server.git("gitops", "rev-parse", `${left}^{tree}`)).trim();
    const who = ["-c", "user.name=m", "-c", "user.email=m@example.com"];
    const made = await server.git("gitops", ...who, "commit-tree", "-p", left, "-p", right, "-m", "merge", tree);
    await server.git("gitops", "update-ref", "refs/heads/main", made.trim());
    return made.trim();
  }
});
