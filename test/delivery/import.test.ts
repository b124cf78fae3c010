import { describe, expect, it } from "vitest";
import type { Digest } from "../../src/model/image.ts";
import { type BuildWords, type House, makeHouse, targetOf, unreachable } from "./house.ts";

const TARGET = "checkout/staging";
const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const target = targetOf("checkout");

/** A and B of a bridge whose database is lost afterwards. */
async function before(): Promise<House> {
  const house = makeHouse();
  await house.healthy({ tag: "1.1", digest: digest("a") });
  await house.healthy({ tag: "1.2", digest: digest("b") });
  return house;
}

/** A new database meets the branch with this build. */
async function meets(lost: House, words: BuildWords, over: Parameters<typeof makeHouse>[0] = {}) {
  const house = makeHouse({ ...over, after: lost });
  const delivery = await house.ready(words);
  await house.write();
  await house.verifyDue();
  return { house, says: await house.saysOf(delivery), state: await house.targetState() };
}

describe("a database that knows nothing of a branch that we wrote before", () => {
  it("takes what stands there for its own, with the source that its commit names", async () => {
    const lost = await before();
    const standing = lost.git.log("main")[0]!;
    const { house, says, state } = await meets(lost, { tag: "1.3", digest: digest("c") });
    expect(says).toBe("following: ");
    expect(state?.current?.delivery.images[0]?.digest).toBe(digest("c"));
    const [, b, a] = await house.store.written(TARGET, 10);
    expect(b).toMatchObject({
      delivery: {
        kind: "build",
        outcome: "cancelled",
        reason: "closed",
        commit: standing.oid,
        images: [{ tag: "1.2" }],
      },
      build: {
        subject: "git",
        source: { repository: "https://git.example.com/shop/source.git", commit: expect.stringMatching(/^0+5$/) },
        run: { kind: "PipelineRun", uid: "run-5" },
      },
    });
    expect(a?.delivery.images[0]?.tag).toBe("1.1");
    expect(await house.eventsOf(b!.delivery)).toEqual(["imported", "done"]);
  });

  it("writes nothing older than what stands", async () => {
    const lost = await before();
    const text = lost.fileOf();
    const { says, house } = await meets(lost, { tag: "1.15", digest: digest("d"), sourceTime: 1 });
    expect(says).toMatch(/^superseded: delivery id-\d+ brings a newer build/);
    expect(house.fileOf()).toBe(text);
  });

  it("adopts what stands when the same build is told of again", async () => {
    const lost = await before();
    const [{ build }] = (await lost.store.written(TARGET, 1)) as [Awaited<ReturnType<typeof lost.store.written>>[0]];
    const commits = lost.git.log("main").length;
    const { says, house } = await meets(lost, {
      tag: "1.2",
      digest: digest("b"),
      sourceCommit: build.source.commit,
      sourceTime: build.source.time!,
    });
    expect(says).toMatch(/^following: |^superseded: /);
    expect(house.git.log("main")).toHaveLength(commits);
  });

  const reverts: [string, (lost: House, healthyText: string) => unknown][] = [
    [
      "by a commit that names ours",
      (lost) => lost.foreign("0.7", `Revert\n\nThis reverts commit ${lost.git.log("main")[0]?.oid}.`),
    ],
    [
      "to the value of an earlier delivery, without a word",
      (lost, text) => lost.git.commit("main", { "apps/checkout/overlays/staging/kustomization.yaml": text }, "hm"),
    ],
    ["to what stood before us, without a word", (lost) => lost.foreign("1.0", "as it was")],
  ];
  it.each(reverts)("undoes nobody's revert: %s", async (_name, revert) => {
    const lost = makeHouse();
    await lost.healthy({ tag: "1.1", digest: digest("a") });
    const healthyText = lost.fileOf()!;
    await lost.healthy({ tag: "1.2", digest: digest("b") });
    revert(lost, healthyText);
    const text = lost.fileOf();
    const { house, says, state } = await meets(lost, { tag: "1.3", digest: digest("c") });
    expect(says).toMatch(/^waiting: checkout\/staging is pinned by git: .* reverted it, as the branch tells/);
    expect(house.fileOf()).toBe(text);
    expect(state?.overridden?.kind).toBe("reverted");
    await house.store.unpin(TARGET);
    await house.verifyDue();
    await house.write();
    expect(house.fileOf()).toContain(digest("c"));
  });

  it("holds what was reverted instead, where that is configured", async () => {
    const lost = await before();
    lost.foreign("1.0");
    const targets = [targetOf("checkout", { policy: { ...target.policy, onManualRevert: "hold-digest" } })];
    const { house, says } = await meets(lost, { tag: "1.3", digest: digest("b") }, { targets });
    expect(says).toMatch(/^waiting: held by git: .* reverted it, as the branch tells/);
    expect(await house.targetState()).not.toHaveProperty("pinned");
  });

  it("lets a newer build over any other value of somebody else, and an older one not", async () => {
    const lost = await before();
    lost.foreign("9.9-hotfix");
    expect((await meets(lost, { tag: "1.15", sourceTime: 1 })).says).toMatch(/^superseded: /);
    const { says, house } = await meets(lost, { tag: "1.3", digest: digest("c") });
    expect(says).toBe("following: ");
    expect(house.fileOf()).toContain(digest("c"));
  });

  it("holds again what our own rollback took out", async () => {
    const lost = await before();
    const [{ build }] = (await lost.store.written(TARGET, 1)) as [Awaited<ReturnType<typeof lost.store.written>>[0]];
    await lost.rolledBack();
    const text = lost.fileOf();
    const same = await meets(lost, { tag: "1.2", digest: digest("b") });
    expect(same.says).toMatch(/^waiting: held by gitspan: taken out by rollback id-/);
    const again = await meets(lost, {
      tag: "1.2-2",
      digest: digest("d"),
      sourceCommit: build.source.commit,
      sourceTime: build.source.time!,
    });
    expect(again.says).toMatch(/^waiting: held by gitspan/);
    expect(again.house.fileOf()).toBe(text);
    expect(again.state?.current?.delivery).toMatchObject({ kind: "rollback", rollback: { trigger: "manual" } });
    const newer = await meets(lost, { tag: "1.3", digest: digest("c") });
    expect(newer.says).toBe("following: ");
  });

  it("is told nothing by a branch that we never wrote, nor by what others say in our words", async () => {
    const house = makeHouse();
    house.git.commit(
      "main",
      { "a.md": "x" },
      "docs\n\nGitspan-Delivery: d\nGitspan-Target: checkout/staging\n\nquoted",
    );
    house.git.commit("main", { "b.md": "x" }, `docs\n\nGitspan-Delivery: d\nGitspan-Target: other/staging`);
    const delivery = await house.written({ tag: "1.1" });
    expect(delivery.phase).toBe("following");
    expect(await house.store.written(TARGET, 10)).toHaveLength(1);
  });

  it("waits while the history cannot be read, and goes on without one that nobody can give", async () => {
    const lost = await before();
    const house = makeHouse({ after: lost });
    const delivery = await house.ready({ tag: "1.3", digest: digest("c") });
    const without = (error: Error) =>
      new Proxy(house.git, {
        get(object, property) {
          const value: unknown = Reflect.get(object, property);
          if (property === "history")
            return async () => {
              throw error;
            };
          return typeof value === "function" ? value.bind(object) : value;
        },
      });
    house.useGit(without(unreachable()));
    await expect(house.write()).rejects.toThrow("cannot be reached");
    expect((await house.reread(delivery)).phase).toBe("ready");
    house.useGit(without(new Error("too large")));
    await house.write();
    expect((await house.reread(delivery)).phase).toBe("following");
    expect(house.logged.map(({ message }) => message)).toContain("the history of a branch could not be read");
  });
});
