import { describe, expect, it } from "vitest";
import { planLane } from "../../src/delivery/plan.ts";
import { T0 } from "../fakes/examples.ts";
import { BRANCH, type House, LANE, makeHouse, never, overlayOf, pathOf, repositoryOf, targetOf } from "./house.ts";

const DAY = 86_400_000;
const hold = { id: "hold-1", targetId: "checkout/staging", by: "ada", why: "it crashes" };

/** Makes a delivery ready without the advice that `verify` would give. */
async function readyAnyway(house: House, words: Parameters<House["received"]>[0]) {
  const [delivery] = await house.received(words);
  await house.store.save(delivery!, { phase: "ready" });
  return house.reread(delivery!);
}

describe("plan: which delivery", () => {
  it("writes the newest of several and supersedes the others", async () => {
    const house = makeHouse();
    const older = await readyAnyway(house, { tag: "1.1", sourceTime: T0 + 10 });
    const newer = await readyAnyway(house, { tag: "1.3", sourceTime: T0 + 30 });
    const middle = await readyAnyway(house, { tag: "1.2", sourceTime: T0 + 20 });
    await house.write();
    expect(house.writers()).toEqual([newer.id, ""]);
    expect(await house.saysOf(older)).toBe(`superseded: delivery ${newer.id} brings a newer build to checkout/staging`);
    expect((await house.reread(middle)).outcome).toBe("superseded");
  });

  it("supersedes what is older than the value that was written meanwhile", async () => {
    const house = makeHouse();
    await house.written({ tag: "1.2", sourceTime: T0 + 20 });
    const older = await readyAnyway(house, { tag: "1.1", sourceTime: T0 + 10 });
    await house.write();
    expect((await house.reread(older)).outcome).toBe("superseded");
    expect(house.fileOf()).toContain('newTag: "1.2"');
  });

  it.each([
    ["held", (house: House) => house.store.createHold(hold)],
    ["pinned", (house: House) => house.store.pin(hold.targetId, hold)],
  ])("sends the newest back to wait when its target was %s meanwhile", async (_name, act) => {
    const house = makeHouse();
    const older = await readyAnyway(house, { tag: "1.1" });
    const newer = await readyAnyway(house, { tag: "1.2" });
    await act(house);
    expect((await house.write()).kind).toBe("idle");
    expect((await house.reread(newer)).phase).toBe("received");
    expect((await house.reread(older)).outcome).toBe("superseded");
    await house.verifyDue();
    expect((await house.reread(newer)).phase).toBe("waiting");
    expect(house.writers()).toEqual([""]);
  });

  it("rejects what its sender may no longer deliver", async () => {
    const house = makeHouse();
    const delivery = await house.ready({ tag: "1.1" });
    house.use({ allows: () => false });
    await house.write();
    expect(await house.saysOf(delivery)).toBe(
      "rejected(forbidden): token:ci may no longer deliver checkout to staging",
    );
  });

  it("does not give way to a newer delivery that may no longer be written", async () => {
    const house = makeHouse();
    const older = await readyAnyway(house, { tag: "1.1", subject: "token:ci" });
    const newer = await readyAnyway(house, { tag: "1.2", subject: "token:fired" });
    house.use({ allows: ({ subject }) => subject === "token:ci" });
    await house.write();
    expect((await house.reread(newer)).reason).toBe("forbidden");
    expect((await house.reread(older)).phase).toBe("following");
  });

  it("does not give way to a newer delivery that has expired", async () => {
    const house = makeHouse();
    const newer = await readyAnyway(house, { tag: "1.2", sourceTime: T0 + 20 });
    await house.wait(DAY);
    const older = await readyAnyway(house, { tag: "1.1", sourceTime: T0 + 10 });
    await house.write();
    expect(await house.saysOf(newer)).toBe("cancelled(expired): it was not done within its time limit");
    expect((await house.reread(older)).phase).toBe("following");
  });

  it("cancels what has lost its target", async () => {
    const house = makeHouse();
    const delivery = await house.ready({ tag: "1.1" });
    house.use({ target: () => undefined });
    await house.write();
    expect((await house.reread(delivery)).reason).toBe("target-removed");
  });

  it("never writes to a branch that its target has left", async () => {
    const house = makeHouse();
    const delivery = await house.ready({ tag: "1.1" });
    house.use({ target: () => targetOf("checkout", { branch: "release" }) });
    await house.write();
    expect((await house.reread(delivery)).reason).toBe("target-removed");
    expect(house.writers()).toEqual([""]);
  });
});

describe("plan: what it makes of the files", () => {
  const twoImages = targetOf("checkout", {
    images: ["checkout", "worker"].map((name) => ({ name, repository: repositoryOf(name) })),
  });

  it("writes all images of a target in one commit", async () => {
    const house = makeHouse({ targets: [twoImages] });
    await house.written({ tag: "1.1", apps: ["checkout", "worker"] });
    expect(house.writers()).toHaveLength(2);
    expect(house.fileOf()).toBe(overlayOf(twoImages, "1.1"));
  });

  it("chains the commits of two targets that write one file", async () => {
    const shared = targetOf("worker", { places: twoImages.places });
    const house = makeHouse({ targets: [targetOf("checkout"), shared] });
    house.git.commit(BRANCH, { [pathOf(shared)]: overlayOf(twoImages, "1.0") }, "one overlay for both");
    await house.written({ tag: "1.1", apps: ["checkout", "worker"] });
    expect(house.writers()).toHaveLength(4);
    expect(house.fileOf()).toBe(overlayOf(twoImages, "1.1"));
  });

  it("adopts the commit that wrote the value already, found below later ones", async () => {
    const house = makeHouse();
    const oid = house.foreign("1.1");
    house.git.commit(BRANCH, { "README.md": "later\n" }, "docs");
    const delivery = await house.written({ tag: "1.1" });
    expect(delivery).toMatchObject({ phase: "following", commit: oid });
    expect(await house.eventsOf(delivery)).toContain("adopted");
    expect(house.writers()).toEqual(["", "", ""]);
  });

  it("adopts only what stands on the branch, not what is only being written", async () => {
    const twin = targetOf("checkout", { id: "checkout/twin", environment: "twin" });
    const house = makeHouse({ targets: [targetOf("checkout"), twin] });
    const [first, second] = await house.received({ tag: "1.1" });
    await house.verifyDue();
    await house.write();
    const commit = (await house.reread(first!)).commit!;
    expect(house.git.log(BRANCH)[0]?.oid).toBe(commit);
    expect(await house.reread(second!)).toMatchObject({ phase: "following", commit });
  });

  it("gives each commit its own message, its time and the configured author", async () => {
    const house = makeHouse();
    await house.ready({ tag: "1.1" });
    const claim = await house.claimLane();
    const work = await house.store.laneWork(claim);
    const tip = await house.git.tip(BRANCH, never);
    const author = { name: "bot", email: "bot@example.com" };
    const plan = await planLane(
      { ...house.deps, git: house.git },
      { work, tip, settings: house.deps.settings(), author },
      never,
    );
    expect(plan.planned.map(({ commit }) => commit)).toMatchObject([
      { author, committer: author, time: work.now, message: expect.stringContaining("deploy(checkout): staging 1.1") },
    ]);
    expect(work.openAttempts).toEqual([]);
    expect(claim.lane.id).toBe(LANE);
  });
});
