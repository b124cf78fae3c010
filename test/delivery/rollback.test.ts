import { describe, expect, it } from "vitest";
import { observe } from "../../src/delivery/observe.ts";
import { startRollback } from "../../src/delivery/rollback.ts";
import type { Digest } from "../../src/model/image.ts";
import { type House, LANE, makeHouse, never, overlayOf, PERSON, repositoryOf } from "./house.ts";
import { applicationRef } from "./scripted-argocd.ts";

const TARGET = "checkout/staging";
const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;

const ask = (house: House) =>
  startRollback({ ...house.deps, store: house.store }, { caller: PERSON, targetId: TARGET, why: "it charges twice" });

/** A healthy, B superseded while rolling, C stands. */
async function abc(house: House) {
  const a = await house.healthy({ tag: "1.1", digest: digest("a") });
  const healthyText = house.fileOf();
  const b = await house.written({ tag: "1.2", digest: digest("b") });
  const c = await house.written({ tag: "1.3", digest: digest("c") });
  return { a, b, c, healthyText };
}

describe("rollback by a person", () => {
  it("brings the file back byte for byte, and says which commits it takes out", async () => {
    const house = makeHouse();
    const { a, b, c, healthyText } = await abc(house);
    const rollback = await house.rolledBack();
    expect(house.fileOf()).toBe(healthyText);
    expect(rollback).toMatchObject({ kind: "rollback", phase: "following", buildId: a.buildId, images: a.images });
    const message = house.git.log("main")[0]?.message.trimEnd().split("\n");
    expect(message).toEqual([
      'Revert "deploy(checkout): staging 1.3"',
      "",
      `This reverts commit ${c.commit}.`,
      `This reverts commit ${b.commit}.`,
      "",
      "Brings back 1.1.",
      "Reason: it charges twice",
      "Asked for by: token:ada",
      "",
      `Gitspan-Delivery: ${rollback.id}`,
      "Gitspan-Target: checkout/staging",
      `Gitspan-Image: ${repositoryOf("checkout")}:1.1@${digest("a")}`,
      expect.stringMatching(/^Gitspan-Source-Commit: /),
      expect.stringMatching(/^Gitspan-Run: /),
      expect.stringMatching(/^Argocd-reference-commit-repourl: /),
      expect.stringMatching(/^Argocd-reference-commit-sha: /),
      expect.stringMatching(/^Argocd-reference-commit-date: /),
      `Gitspan-Reverts: ${c.id}`,
      `Gitspan-Reverts: ${b.id}`,
    ]);
  });

  it("marks what it took out, ends what of it still followed, and stands at the target", async () => {
    const house = makeHouse();
    const { a, b, c } = await abc(house);
    const rollback = await house.rolledBack();
    expect(await house.saysOf(c)).toBe(
      `overridden(reverted): rollback ${rollback.id} took it out in ${rollback.commit}`,
    );
    expect(await house.saysOf(b)).toMatch(/^superseded: /);
    expect((await house.reread(b)).revertedBy).toBe(rollback.commit);
    expect((await house.reread(c)).revertedBy).toBe(rollback.commit);
    expect(await house.eventsOf(c)).toEqual(["received", "ready", "writing", "landed", "rolled-back", "done"]);
    expect(await house.targetState()).toMatchObject({ current: { delivery: { id: rollback.id } } });
    expect((await house.targetState())?.lastHealthyDeliveryId).toBe(a.id);
  });

  it("holds what it took out: the digests, the same source built again, and everything between", async () => {
    const house = makeHouse();
    const { c } = await abc(house);
    await house.rolledBack();
    const holds = await house.store.holds([TARGET]);
    expect(holds.map((hold) => hold.digest)).toEqual([digest("c"), digest("b")]);
    expect(holds.map(({ by }) => by)).toEqual(["token:ada", "token:ada"]);
    const { source } = (await house.store.build(c.buildId))!;
    const kept = [
      await house.ready({ tag: "1.4", digest: digest("c") }),
      await house.ready({ tag: "1.3-2", sourceCommit: source.commit, digest: digest("d") }),
      await house.ready({ tag: "1.25", sourceTime: source.time! - 1, digest: digest("e") }),
    ];
    await house.write();
    for (const one of kept.slice(0, 2)) expect(await house.saysOf(one)).toMatch(/^waiting: held by token:ada: taken/);
    expect(await house.saysOf(kept[2]!)).toMatch(/^superseded: /);
    expect(house.fileOf()).toContain(digest("a"));
  });

  it("holds an older build also when no newer one waits", async () => {
    const house = makeHouse();
    const { c } = await abc(house);
    await house.rolledBack();
    const { source } = (await house.store.build(c.buildId))!;
    const between = await house.ready({ tag: "1.25", sourceTime: source.time! - 1, digest: digest("e") });
    expect(await house.saysOf(between)).toMatch(/^waiting: held by token:ada: taken out by rollback /);
  });

  it("lets a newer build through", async () => {
    const house = makeHouse();
    await abc(house);
    await house.rolledBack();
    const newer = await house.written({ tag: "1.4", digest: digest("d") });
    expect(newer.phase).toBe("following");
    expect(house.fileOf()).toContain(digest("d"));
  });

  it("is followed to an outcome like any other, and is then the last healthy one", async () => {
    const house = makeHouse();
    await abc(house);
    const rollback = await house.rolledBack();
    house.argocd.says(applicationRef("checkout"), { state: "healthy" });
    await observe(house.deps, rollback, never);
    expect(await house.saysOf(rollback)).toMatch(/^healthy: /);
    expect((await house.targetState())?.lastHealthyDeliveryId).toBe(rollback.id);
  });

  it("takes a target that runs healthy back to the healthy delivery before", async () => {
    const house = makeHouse();
    const a = await house.healthy({ tag: "1.1" });
    await house.healthy({ tag: "1.2" });
    const rollback = await house.rolledBack();
    expect(rollback.rollback?.restores).toBe(a.id);
    expect(house.fileOf()).toBe(overlayOf(house.targets[0]!, "1.1"));
    expect((await house.targetState())?.lastHealthyDeliveryId).toBe(a.id);
  });

  it("is one, however often it is asked for", async () => {
    const house = makeHouse();
    await abc(house);
    const [first, second] = await Promise.all([ask(house), ask(house)]);
    expect([first.kind, second.kind]).toEqual(["begun", "repeat"]);
    expect(second.delivery.id).toBe(first.delivery.id);
    await house.rolledBack();
    expect(await ask(house)).toMatchObject({ kind: "repeat", delivery: { id: first.delivery.id } });
    expect(house.writers().filter((id) => id === first.delivery.id)).toHaveLength(1);
  });

  it("is not rolled back itself", async () => {
    const house = makeHouse();
    await abc(house);
    const rollback = await house.rolledBack();
    await house.store.save(rollback, {
      phase: "done",
      ending: { outcome: "failed", reason: "crashing", message: "m" },
    });
    await expect(ask(house)).rejects.toMatchObject({
      code: "rollback-refused",
      message: expect.stringContaining("a rollback is not rolled back"),
    });
  });

  it("after another delivery brings back what was healthy before the one that was taken out", async () => {
    const house = makeHouse();
    const { a } = await abc(house);
    await house.rolledBack();
    await house.written({ tag: "1.4", digest: digest("d") });
    const second = await house.rolledBack();
    expect(second.rollback).toMatchObject({ restores: a.id });
    expect(second.rollback?.undoes).toHaveLength(1);
    expect(house.fileOf()).toContain(digest("a"));
  });

  const refusals: [string, (house: House) => Promise<unknown>, RegExp][] = [
    ["nothing was delivered", async () => undefined, /nothing was delivered to checkout\/staging yet/],
    ["nothing was ever healthy", (house) => house.written({ tag: "1.1" }), /no earlier delivery that was healthy/],
    ["only what stands was ever healthy", (house) => house.healthy({ tag: "1.1" }), /no earlier delivery/],
    [
      "somebody else's value stands",
      async (house) => {
        await abc(house);
        house.foreign("9.9");
        await house.write();
      },
      /somebody else's value stands/,
    ],
    [
      "the target is pinned",
      async (house) => {
        await abc(house);
        await house.store.pin(TARGET, { by: "eve", why: "freeze" });
      },
      /pinned by eve: freeze/,
    ],
  ];
  it.each(refusals)("is refused when %s", async (_name, prepare, message) => {
    const house = makeHouse();
    await prepare(house);
    const commits = house.git.log("main").length;
    await expect(ask(house)).rejects.toMatchObject({
      code: "rollback-refused",
      message: expect.stringMatching(message),
    });
    await house.verifyDue();
    expect(house.git.log("main")).toHaveLength(commits);
    expect((await house.store.deliveries({ limit: 100 })).items.map(({ kind }) => kind)).not.toContain("rollback");
    expect(await house.store.holds([TARGET])).toEqual([]);
  });

  it("is refused to those who may not, also when they lose the right before it is written", async () => {
    const house = makeHouse();
    await abc(house);
    const { delivery } = await ask(house);
    house.use({ allows: (_caller, { action }) => action !== "rollback" });
    await expect(ask(house)).rejects.toMatchObject({ code: "forbidden" });
    await house.verifyDue();
    await house.write();
    expect(await house.saysOf(delivery)).toBe(
      "rejected(forbidden): token:ada may no longer roll back checkout in staging",
    );
    house.use({ allows: () => true });
    expect((await house.rolledBack()).phase).toBe("following");
  });

  it("gives way to a newer build that lands first", async () => {
    const house = makeHouse();
    await abc(house);
    const newer = await house.ready({ tag: "1.4", digest: digest("d") });
    house.git.onPush = async (prepared) => {
      house.git.onPush = undefined;
      await ask(house);
      house.git.land(prepared);
      return { kind: "landed" };
    };
    await house.write();
    await house.verifyDue();
    const [rollback] = (await house.store.deliveries({ limit: 1 })).items;
    expect(await house.saysOf(rollback!)).toMatch(
      new RegExp(`^superseded: delivery ${newer.id} came to checkout/staging before`),
    );
    expect(house.fileOf()).toContain(digest("d"));
  });

  it("goes before a build that waits to be written", async () => {
    const house = makeHouse();
    await abc(house);
    await house.ready({ tag: "1.4", digest: digest("d") });
    const rollback = await house.rolledBack();
    expect(rollback.commit).toBeDefined();
    expect(house.fileOf()).toContain(digest("d"));
  });

  it("is planned again on the new tip after a lost race, and leaves what changed meanwhile", async () => {
    const house = makeHouse();
    const { healthyText } = await abc(house);
    house.git.onPush = () => {
      house.git.onPush = undefined;
      house.git.commit("main", { "docs/a.md": "news\n" }, "docs");
      return undefined;
    };
    await house.rolledBack();
    expect(house.fileOf()).toBe(healthyText);
    expect(house.git.show("main", "docs/a.md")).toBe("news\n");
  });
});

it("wakes its lane by itself", async () => {
  const house = makeHouse();
  await abc(house);
  await ask(house);
  await house.verifyDue();
  expect((await house.store.claimLane({ owner: "w", ms: 1_000 }))?.lane.id).toBe(LANE);
});
