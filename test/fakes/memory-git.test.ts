import { describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import type { GitRepository } from "../../src/delivery/ports.ts";
import { RemoteRepository } from "../../src/git/repository.ts";
import { gitRepositoryContract, planOf } from "../contracts/git-repository.ts";
import { MemoryGit } from "./memory-git.ts";

gitRepositoryContract("MemoryGit", async (seed) => {
  const git = new MemoryGit();
  git.commit("main", seed, "start");
  return {
    repository: git,
    commit: async (files, message, branch = "main") => git.commit(branch, files, message),
    reset: async (commit) => git.reset("main", commit),
    show: async (path) => git.show("main", path) ?? "",
    list: async (directory) => git.list("main", directory),
    close: async () => undefined,
  };
});

describe("MemoryGit for simulations", () => {
  const { signal } = new AbortController();

  it("lets a stalled push land late, but only while the branch still stands at its base", async () => {
    const git = new MemoryGit();
    const base = git.commit("main", { "a/x": "1\n" }, "start");
    const late = await git.prepare("main", base, [planOf({ "a/x": "2\n" })], signal);
    git.onPush = () => ({ kind: "unclear", message: "stalled" });
    expect(await git.push(late, signal)).toEqual({ kind: "unclear", message: "stalled" });
    expect(git.log("main").map(({ oid }) => oid)).toEqual([base]);
    expect(git.land(late)).toBe(true);
    expect(git.show("main", "a/x")).toBe("2\n");
    expect(git.land(late)).toBe(false);
  });

  it("gives the same ids for the same commits every time", () => {
    const make = (): string => new MemoryGit().commit("main", { "a/x": "1\n", "b.txt": "2\n" }, "start");
    expect(make()).toBe(make());
  });

  it("is the same port as the real adapter", () => {
    const real: GitRepository = new RemoteRepository(
      { ambient: systemAmbient },
      { url: "https://git.example.com/a.git" },
    );
    const memory: GitRepository = new MemoryGit();
    expect([real, memory]).toHaveLength(2);
  });
});
