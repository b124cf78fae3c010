import { describe, expect, it } from "vitest";
import { observe } from "../../src/delivery/observe.ts";
import type { Delivery } from "../../src/model/delivery.ts";
import type { Digest } from "../../src/model/image.ts";
import type { VerdictReason } from "../../src/model/observation.ts";
import { type House, makeHouse, never, overlayOf, targetOf } from "./house.ts";
import { applicationRef } from "./scripted-argocd.ts";

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const ref = applicationRef("checkout");
const MINUTE = 60_000;

function automatic(apps: readonly string[] = ["checkout"]): House {
  const { policy } = targetOf("checkout");
  const targets = apps.map((app) => targetOf(app, { policy: { ...policy, rollback: "automatic" } }));
  return makeHouse({ targets });
}

/** Looks once, while Argo CD says that it failed. */
async function fails(house: House, delivery: Delivery, reason: VerdictReason = "degraded"): Promise<void> {
  house.argocd.says(ref, { state: "failed", reason });
  await observe(house.deps, await house.reread(delivery), never);
}

async function rollbackOf(house: House, targetId = "checkout/staging"): Promise<Delivery | undefined> {
  const { items } = await house.store.deliveries({ limit: 100 });
  return items.find((one) => one.kind === "rollback" && one.targetId === targetId);
}

/** A healthy, B stands. */
async function ab(house: House) {
  await house.healthy({ tag: "1.1", digest: digest("a") });
  const text = house.fileOf();
  return { text, b: await house.written({ tag: "1.2", digest: digest("b") }) };
}

describe("automatic rollback", () => {
  it.each(["sync", "degraded", "crashing", "render"] as const)(
    "takes out what failed(%s), and holds it",
    async (reason) => {
      const house = automatic();
      const { text, b } = await ab(house);
      await fails(house, b, reason);
      expect(await house.saysOf(b)).toBe(`failed(${reason}): checkout is failed`);
      const rollback = (await rollbackOf(house))!;
      expect(rollback.rollback).toMatchObject({
        trigger: "automatic",
        undoes: [b.id],
        why: `failed(${reason}): checkout is failed`,
        clusters: ["main"],
      });
      expect((await house.eventsOf(b)).slice(-3)).toEqual(["verdict", "rollback", "done"]);
      await house.verifyDue();
      await house.write();
      expect(house.fileOf()).toBe(text);
      expect(await house.store.holds(["checkout/staging"])).toMatchObject([{ by: "gitspan", digest: digest("b") }]);
      expect(house.git.log("main")[0]?.message).not.toContain("Asked for by");
    },
  );

  it.each(["timed-out", "lost"] as const)("leaves failed(%s) to people", async (reason) => {
    const house = automatic();
    const { b } = await ab(house);
    await fails(house, b, reason);
    expect((await house.reread(b)).outcome).toBe("failed");
    expect(await rollbackOf(house)).toBeUndefined();
  });

  it("leaves everything to people where the environment does not say so", async () => {
    const house = makeHouse();
    const { b } = await ab(house);
    await fails(house, b);
    expect(await house.saysOf(b)).toMatch(/^failed\(degraded\)/);
    expect(await rollbackOf(house)).toBeUndefined();
  });

  it("says that there is nothing to go back to", async () => {
    const house = automatic();
    const only = await house.written({ tag: "1.1" });
    await fails(house, only);
    expect(await house.saysOf(only)).toMatch(/^failed\(degraded\)/);
    expect(await house.eventsOf(only)).toContain("rollback-impossible");
    expect(house.logged).toContainEqual(
      expect.objectContaining({ level: "error", message: "a failed delivery is not rolled back" }),
    );
  });

  it("does not roll a rollback back", async () => {
    const house = automatic();
    await house.healthy({ tag: "1.0.1" });
    const { b } = await ab(house);
    await fails(house, b);
    await house.verifyDue();
    await house.write();
    const rollback = (await rollbackOf(house))!;
    await fails(house, rollback);
    expect(await house.saysOf(rollback)).toMatch(/^failed\(degraded\)/);
    expect((await house.store.deliveries({ limit: 100 })).items.filter(({ kind }) => kind === "rollback")).toHaveLength(
      1,
    );
  });

  it("does nothing on a pinned target, and nothing that the configuration no longer wants", async () => {
    const pinned = automatic();
    const { b } = await ab(pinned);
    await pinned.store.pin("checkout/staging", { by: "eve", why: "freeze" });
    await fails(pinned, b);
    expect(await rollbackOf(pinned)).toBeUndefined();

    const house = automatic();
    const second = await ab(house);
    await fails(house, second.b);
    house.use({ target: () => targetOf("checkout") });
    await house.verifyDue();
    await house.write();
    expect(await house.saysOf((await rollbackOf(house))!)).toMatch(/^rejected\(forbidden\): gitspan may no longer/);
  });

  it("joins the rollback that a person asked for first", async () => {
    const house = automatic();
    const { b } = await ab(house);
    const { startRollback } = await import("../../src/delivery/rollback.ts");
    const caller = { subject: "token:ada", groups: [] };
    await startRollback({ ...house.deps }, { caller, targetId: "checkout/staging", why: "w" });
    await fails(house, b);
    expect((await rollbackOf(house))?.rollback?.trigger).toBe("manual");
    expect((await house.reread(b)).outcome).toBe("failed");
  });
});

describe("the brake of automatic rollback", () => {
  const apps = ["a1", "a2", "a3", "a4", "a5"];

  /** All apps healthy once, then all of them with a version that is bad. */
  async function badEverywhere() {
    const house = automatic(apps);
    const targets = house.targets.map(({ id }) => id);
    await house.healthyAll(apps, "1.1");
    const [first] = await house.received({ tag: "1.2", apps });
    await house.verifyDue();
    await house.write();
    const { items } = await house.store.deliveries({ buildId: first!.buildId, limit: 100 });
    return { house, bad: targets.map((id) => items.find(({ targetId }) => targetId === id)!) };
  }

  it("lets three fire within ten minutes, and stops the fourth: it says so, and goes on when it was calm", async () => {
    const { house, bad } = await badEverywhere();
    for (const delivery of bad.slice(0, 4)) await fails(house, delivery);
    const fired = await Promise.all(bad.map(({ targetId }) => rollbackOf(house, targetId)));
    expect(fired.map((one) => one !== undefined)).toEqual([true, true, true, false, false]);
    expect(await house.saysOf(bad[3]!)).toMatch(/^failed\(degraded\)/);
    expect(await house.eventsOf(bad[3]!)).toContain("rollback-braked");
    expect(await house.store.brakes()).toMatchObject([
      { cluster: "main", why: "3 automatic rollbacks within 10 minutes on Argo CD main" },
    ]);
    await house.wait(10 * MINUTE + 1);
    expect(await house.store.brakes()).toEqual([]);
    await fails(house, bad[4]!);
    expect(await rollbackOf(house, bad[4]!.targetId)).toBeDefined();
  });

  it("stays pulled while failures go on", async () => {
    const { house, bad } = await badEverywhere();
    for (const delivery of bad.slice(0, 4)) await fails(house, delivery);
    await house.wait(9 * MINUTE);
    await fails(house, bad[4]!);
    await house.wait(2 * MINUTE);
    expect(await house.store.brakes()).toHaveLength(1);
    expect(await rollbackOf(house, bad[4]!.targetId)).toBeUndefined();
  });

  it("stops at once when Applications degrade that nothing was delivered to", async () => {
    const house = automatic();
    const { b } = await ab(house);
    house.argocd.sickOnes = ["x", "y"].map((name) => applicationRef(name));
    await fails(house, b);
    expect(await rollbackOf(house)).toBeUndefined();
    const [brake] = await house.store.brakes();
    expect(brake?.why).toBe(
      "2 Applications degraded that nothing was delivered to, among them main/argocd/x, main/argocd/y",
    );
  });

  it.each([
    ["the failed one itself and one other", [ref, applicationRef("x")], 10],
    ["less than one in a hundred", ["x", "y", "z"].map((name) => applicationRef(name)), 1_000],
  ])("is not pulled by %s", async (_name, sick, total) => {
    const house = automatic();
    const { b } = await ab(house);
    Object.assign(house.argocd, { sickOnes: sick, total });
    house.argocd.says(ref, { state: "rolling" });
    await observe(house.deps, b, never);
    await fails(house, b);
    expect(await rollbackOf(house)).toBeDefined();
  });
});

describe("a hold that comes during a push", () => {
  it.each([
    ["a digest", { digest: digest("b") }],
    ["everything", {}],
  ])("on %s: what lands all the same is taken out again", async (_name, what) => {
    const house = makeHouse();
    await house.written({ tag: "1.1", digest: digest("a") });
    const text = house.fileOf();
    await house.ready({ tag: "1.2", digest: digest("b") });
    house.git.onPush = async () => {
      house.git.onPush = undefined;
      await house.store.createHold({ id: "h", targetId: "checkout/staging", by: "eve", why: "it leaks", ...what });
      return undefined;
    };
    await house.write();
    const landed = (await house.targetState())!.current!.delivery;
    house.argocd.says(ref, { state: "rolling" });
    await observe(house.deps, landed, never);
    await house.verifyDue();
    await house.write();
    expect(house.fileOf()).toBe(text);
    expect(await house.saysOf(landed)).toMatch(/^overridden\(reverted\): rollback /);
    expect((await rollbackOf(house))?.rollback).toMatchObject({
      trigger: "hold",
      why: "held by eve while it was being pushed: it leaks",
    });
  });

  it("takes out the first delivery of a target as well", async () => {
    const house = makeHouse();
    await house.ready({ tag: "1.2", digest: digest("b") });
    house.git.onPush = async () => {
      house.git.onPush = undefined;
      await house.store.createHold({ id: "h", targetId: "checkout/staging", by: "eve", why: "w", digest: digest("b") });
      return undefined;
    };
    await house.write();
    await observe(house.deps, (await house.targetState())!.current!.delivery, never);
    await house.verifyDue();
    await house.write();
    expect(house.fileOf()).toBe(overlayOf(house.targets[0]!, "1.0"));
  });

  it("leaves alone what had landed before", async () => {
    const house = makeHouse();
    const landed = await house.written({ tag: "1.2", digest: digest("b") });
    await house.wait(1_000);
    await house.store.createHold({ id: "h", targetId: "checkout/staging", by: "eve", why: "w", digest: digest("b") });
    house.argocd.says(ref, { state: "rolling" });
    await observe(house.deps, landed, never);
    expect(await rollbackOf(house)).toBeUndefined();
  });
});
