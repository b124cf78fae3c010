import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { openRemoteRepository } from "../../src/git/repository.ts";
import type { Delivery } from "../../src/model/delivery.ts";
import { runGit } from "../fakes/bare-repository.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { type House, makeHouse, overlayOf, pathOf, targetOf } from "./house.ts";

const target = targetOf("checkout");
const who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];

interface Scene {
  house: House;
  /** A, B and C, all healthy once; C stands. */
  a: Delivery;
  b: Delivery;
  c: Delivery;
  /** Runs git in a person's clone. */
  git: (...args: string[]) => Promise<Buffer>;
  edit: (tag: string) => Promise<void>;
}

describe("what a person does with the git program", () => {
  let server: GitServer;
  let folder: string;
  let made = 0;
  beforeAll(async () => {
    server = await startGitServer();
    folder = await mkdtemp(join(tmpdir(), "gitspan-people-"));
  });
  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function scene(): Promise<Scene & { close(): void }> {
    const name = `gitops-${++made}`;
    await server.createRepository(name, { [pathOf(target)]: overlayOf(target, "1.0") });
    const repository = openRemoteRepository({ ambient: systemAmbient }, { url: server.url(name) });
    const house = makeHouse({ targets: [target] });
    house.useGit(repository);
    const a = await house.healthy({ tag: "1.1" });
    const b = await house.healthy({ tag: "1.2" });
    const c = await house.written({ tag: "1.3" });
    const clone = join(folder, name);
    await runGit(["clone", "--quiet", server.url(name), clone]);
    const git = (...args: string[]) => runGit([...who, ...args], { cwd: clone });
    const edit = (tag: string) => writeFile(join(clone, pathOf(target)), overlayOf(target, tag));
    return { house, a, b, c, git, edit, close: () => repository.close() };
  }

  const cases: [string, (scene: Scene) => Promise<unknown>, ("b" | "c")[]][] = [
    ["reverts the last commit", ({ git, c }) => git("revert", "--no-edit", c.commit!), ["c"]],
    [
      "reverts two commits, one by one",
      async ({ git, b, c }) => {
        await git("revert", "--no-edit", c.commit!);
        await git("revert", "--no-edit", b.commit!);
      },
      ["b", "c"],
    ],
    [
      "reverts two commits in one",
      async ({ git, b, c }) => {
        await git("revert", "--no-commit", c.commit!, b.commit!);
        await git(
          "commit",
          "--quiet",
          "-m",
          `Back\n\nThis reverts commit ${c.commit}.\nThis reverts commit ${b.commit}.`,
        );
      },
      ["b", "c"],
    ],
    [
      "merges a branch with the reverts",
      async ({ git, b, c }) => {
        await git("checkout", "--quiet", "-b", "fix");
        await git("revert", "--no-edit", c.commit!);
        await git("revert", "--no-edit", b.commit!);
        await git("checkout", "--quiet", "main");
        await git("merge", "--quiet", "--no-ff", "-m", "Merge pull request #7", "fix");
      },
      ["b", "c"],
    ],
    [
      "squashes a branch with the reverts, under a message that names nothing",
      async ({ git, b, c }) => {
        await git("checkout", "--quiet", "-b", "fix");
        await git("revert", "--no-edit", c.commit!);
        await git("revert", "--no-edit", b.commit!);
        await git("checkout", "--quiet", "main");
        await git("merge", "--quiet", "--squash", "fix");
        await git("commit", "--quiet", "-m", "Go back (#7)");
      },
      ["b", "c"],
    ],
    [
      "writes the old value by hand",
      async ({ git, edit }) => {
        await edit("1.2");
        await git("commit", "--quiet", "-am", "hotfix");
      },
      ["c"],
    ],
    [
      "checks the old file out of the history",
      async ({ git, a }) => {
        await git("checkout", a.commit!, "--", pathOf(target));
        await git("commit", "--quiet", "-m", "as it was");
      },
      ["b", "c"],
    ],
  ];
  it.each(cases)("%s: reverted, pinned, and each of them says by which commit", async (_name, act, taken) => {
    const it = await scene();
    await act(it);
    await it.git("push", "--quiet", "origin", "main");
    await it.house.write();
    expect(await it.house.saysOf(it.c)).toMatch(/^overridden\(reverted\): Ada <ada@example.com> reverted it in /);
    expect(await it.house.targetState()).toMatchObject({ pinned: { by: "git" }, overridden: { kind: "reverted" } });
    const log = (await it.git("log", "--format=%H")).toString().split("\n");
    const revertedBy = async (name: "a" | "b" | "c") => (await it.house.reread(it[name])).revertedBy;
    for (const name of taken) expect(log).toContain(await revertedBy(name));
    const left = (["a", "b", "c"] as const).filter((name) => name === "a" || !taken.includes(name));
    expect(await Promise.all(left.map(revertedBy))).toEqual(left.map(() => undefined));
    expect((await it.house.reread(it.b)).outcome).toBe("healthy");
    it.close();
  });

  it("reverts while we push: the new tip is examined before anything is planned again", async () => {
    const it = await scene();
    const next = await it.house.ready({ tag: "1.4" });
    const real = openRemoteRepository({ ambient: systemAmbient }, { url: server.url(`gitops-${made}`) });
    let pushes = 0;
    it.house.useGit(
      new Proxy(real, {
        get(object, property) {
          const value: unknown = Reflect.get(object, property);
          if (typeof value !== "function") return value;
          if (property !== "push") return value.bind(object);
          return async (...args: Parameters<typeof real.push>) => {
            if (++pushes === 1) {
              await it.git("revert", "--no-edit", it.c.commit!);
              await it.git("push", "--quiet", "origin", "main");
            }
            return real.push(...args);
          };
        },
      }),
    );
    await it.house.write();
    await it.house.verifyDue();
    expect(pushes).toBe(1);
    expect(await it.house.saysOf(next)).toMatch(/^waiting: checkout\/staging is pinned by git: Ada .* reverted it in /);
    await it.git("pull", "--quiet", "--rebase", "origin", "main");
    expect((await it.git("show", `HEAD:${pathOf(target)}`)).toString()).toBe(overlayOf(target, "1.2"));
    real.close();
    it.close();
  });

  it("reverts the revert: our value stands again, and the pin waits for a release", async () => {
    const it = await scene();
    await it.git("revert", "--no-edit", it.c.commit!);
    await it.git("push", "--quiet", "origin", "main");
    await it.house.write();
    await it.git("revert", "--no-edit", "HEAD");
    await it.git("push", "--quiet", "origin", "main");
    await it.house.write();
    const state = await it.house.targetState();
    expect([state?.overridden, state?.pinned?.by]).toEqual([undefined, "git"]);
    expect((await it.house.reread(it.c)).revertedBy).toBeUndefined();
    expect(await it.house.eventsOf(it.c)).toContain("restored");
    it.close();
  });
});
