import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { openRemoteRepository, type RemoteRepository, type RemoteRepositoryOptions } from "../../src/git/repository.ts";
import { type GitServer, type GitServerMode, startGitServer } from "../fakes/git-http-server.ts";
import { importHistory, noise, pathOf, SIZE, seedFiles } from "./large-repository.ts";

const { signal } = new AbortController();
const UNKNOWN = "1".repeat(40);

describe("a server that gives out no single objects", () => {
  let server: GitServer;
  let git: RemoteRepository;
  const opened: RemoteRepository[] = [];
  const open = (options: Partial<RemoteRepositoryOptions> = {}): RemoteRepository => {
    const repository = openRemoteRepository({ ambient: systemAmbient }, { url: server.url("gitops"), ...options });
    opened.push(repository);
    return repository;
  };
  const start = async (mode: GitServerMode): Promise<void> => {
    await server.close();
    server = await startGitServer({ mode });
    await server.createRepository("gitops", seedFiles());
    git = open();
  };
  const foreign = (app: number, tag: string): Promise<string> =>
    server.commit("gitops", { [pathOf(app)]: noise(app, tag) }, `app ${app} ${tag}`);
  const read = async (app: number, own = git): Promise<string> => {
    const files = await own.readFiles(await own.tip("main", signal), [pathOf(app)], signal);
    return new TextDecoder().decode(files.get(pathOf(app)));
  };

  beforeEach(async () => {
    server = await startGitServer({ mode: "no-filter" });
    await server.createRepository("gitops", seedFiles());
    git = open();
  });
  afterEach(async () => {
    for (const repository of opened.splice(0)) repository.close();
    await server.close();
  });

  it("is asked for everything once, in one request", async () => {
    await read(1);
    expect(server.stats().kinds.fetch).toBe(1);
    expect(server.stats().bytesOut).toBeGreaterThan(SIZE);
    server.resetStats();
    await read(299);
    expect(server.stats().kinds.fetch).toBe(0);
  });

  it("is asked for everything again when more has come together than may be kept", async () => {
    const small = open({ snapshotBytes: 400_000 });
    await read(1, small);
    let anew = 0;
    for (let move = 0; move < 40; move++) {
      await foreign(move, `moved ${move}`);
      server.resetStats();
      expect(await read(move, small)).toBe(noise(move, `moved ${move}`));
      expect(await read(299, small)).toBe(noise(299, "1.0"));
      if (server.stats().bytesOut > SIZE) anew++;
    }
    expect(anew).toBeGreaterThanOrEqual(1);
    expect(anew).toBeLessThanOrEqual(5);
  });

  it.each([{ snapshotBytes: 100_000 }, { maxResponseBytes: 50_000 }])(
    "cannot be used beyond the limits %j, and the remedy is named",
    async (limits) => {
      const small = open(limits);
      for (let attempt = 0; attempt < 2; attempt++) {
        await expect(read(1, small)).rejects.toMatchObject({
          code: "git-too-large",
          message: expect.stringContaining("gives out no single objects"),
          hint: expect.stringContaining("uploadpack.allowFilter"),
        });
      }
    },
  );

  it("tells about source commits without sending the files of either", async () => {
    const base = (await server.tip("gitops")) ?? "";
    const made = [await foreign(1, "a"), await foreign(2, "b")];
    server.resetStats();
    expect(await git.isAncestor(base, made[1] ?? "", signal)).toBe(true);
    expect(await git.isAncestor(UNKNOWN, base, signal)).toBe(false);
    expect(server.stats().bytesOut).toBeLessThan(SIZE / 10);
  });

  it("is found out when it claims to give them out, and is asked in the other way from then on", async () => {
    await start("tips-only");
    expect(await read(1)).toBe(noise(1, "1.0"));
    await foreign(2, "new");
    server.resetStats();
    expect(await read(2)).toBe(noise(2, "new"));
    expect(server.stats().kinds.fetch).toBe(1);
  });

  it("does not make us say that a commit is missing that merely lies too far back", async () => {
    await start("tips-only");
    const base = await git.tip("main", signal);
    await importHistory(server, "gitops", 1100, { empty: true });
    await git.tip("main", signal);
    await expect(git.readFiles(base, [pathOf(1)], signal)).rejects.toMatchObject({
      code: "git-unsupported",
      message: expect.stringContaining("gives out no commits by their ids"),
    });
  });

  it("lacks a commit that is in none of its histories", async () => {
    await start("tips-only");
    await read(1);
    await expect(git.readFiles(UNKNOWN, [pathOf(1)], signal)).rejects.toMatchObject({
      code: "git-not-found",
      message: expect.stringContaining("not in the history"),
    });
  });
});

describe("a server that gives out single objects", () => {
  it("is still one when it refuses a commit that it does not have", async () => {
    const server = await startGitServer();
    await server.createRepository("gitops", seedFiles());
    const git = openRemoteRepository({ ambient: systemAmbient }, { url: server.url("gitops") });
    const tip = await git.tip("main", signal);
    await expect(git.readFiles(UNKNOWN, ["a"], signal)).rejects.toMatchObject({ code: "git-not-found" });
    await git.readFiles(tip, [pathOf(1)], signal);
    await expect(git.readFiles("2".repeat(40), ["a"], signal)).rejects.toMatchObject({ code: "git-not-found" });
    expect(server.stats().bytesOut).toBeLessThan(SIZE / 4);
    git.close();
    await server.close();
  });
});
