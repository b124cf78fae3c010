import { describe, expect, it } from "vitest";
import { observe } from "../../src/delivery/observe.ts";
import type { GitRepository } from "../../src/delivery/ports.ts";
import type { Delivery } from "../../src/model/delivery.ts";
import type { Verdict } from "../../src/model/observation.ts";
import { BRANCH, type House, makeHouse, never, targetOf, unreachable } from "./house.ts";
import { applicationRef } from "./scripted-argocd.ts";

const one = applicationRef("checkout-1");
const two = applicationRef("checkout-2", "other");
const DAY = 86_400_000;

/** A landed delivery, its Applications as given, and a way to look at it once. */
async function following(verdicts: Pick<Verdict, "state" | "reason">[] = [{ state: "pushed" }]) {
  const house = makeHouse();
  for (const [index, verdict] of verdicts.entries()) house.argocd.says([one, two][index]!, verdict);
  const delivery = await house.written({ tag: "1.1" });
  return { house, delivery, look: () => lookAt(house, delivery) };
}

async function lookAt(house: House, delivery: Delivery): Promise<string> {
  await observe(house.deps, await house.reread(delivery), never);
  return house.saysOf(delivery);
}

describe("observing a delivery", () => {
  it.each([
    [{ state: "healthy" }, "healthy: checkout-1 is healthy"],
    [{ state: "failed", reason: "degraded" }, "failed(degraded): checkout-1 is failed"],
    [{ state: "failed", reason: "render" }, "failed(render): checkout-1 is failed"],
    [{ state: "failed", reason: "sync" }, "failed(sync): checkout-1 is failed"],
    [{ state: "failed", reason: "timed-out" }, "failed(timed-out): checkout-1 is failed"],
    [{ state: "blocked", reason: "manual-sync" }, "following: checkout-1 is blocked"],
    [{ state: "unknown" }, "following: checkout-1 is unknown"],
  ] as const)("makes of %o: %s", async (verdict, says) => {
    const { look } = await following([verdict]);
    expect(await look()).toBe(says);
  });

  it("ends when as many Applications are healthy as the target asks for", async () => {
    const { house, look } = await following([{ state: "healthy" }, { state: "rolling" }]);
    expect(await look()).toBe("following: checkout-2 is rolling");
    const { target } = house.deps.settings();
    house.use({ target: (id) => ({ ...target(id)!, healthyAtLeast: 1 }) });
    expect(await look()).toBe("healthy: 1 of 2 Applications run it and are healthy");
  });

  it("remembers the last healthy delivery of the target", async () => {
    const { house, delivery, look } = await following([{ state: "healthy" }]);
    await look();
    expect((await house.targetState())?.lastHealthyDeliveryId).toBe(delivery.id);
  });

  it("keeps what the judge remembers, and comes back when he wants to", async () => {
    const { house, delivery, look } = await following([{ state: "rolling" }]);
    await look();
    const { observation, dueAt } = await house.reread(delivery);
    expect(observation?.applications[0]?.memory).toEqual({ resourceVersion: "1" });
    expect(dueAt).toBe(house.time.now() + 5_000);
  });

  it("writes a verdict into the history when it changes, not at every look", async () => {
    const { house, delivery, look } = await following([{ state: "rolling" }]);
    await look();
    await look();
    house.argocd.says(one, { state: "candidate" });
    await look();
    expect((await house.eventsOf(delivery)).filter((kind) => kind === "verdict")).toHaveLength(2);
  });

  it("needs all Applications healthy", async () => {
    const { house, look } = await following([{ state: "healthy" }, { state: "rolling" }]);
    expect(await look()).toBe("following: checkout-2 is rolling");
    house.argocd.says(two, { state: "healthy" });
    expect(await look()).toBe("healthy: all 2 Applications run it and are healthy");
  });

  it("fails with the first Application that fails", async () => {
    const { look } = await following([{ state: "healthy" }, { state: "failed", reason: "sync" }]);
    expect(await look()).toBe("failed(sync): checkout-2 is failed");
  });

  it("sees a failure although the other Argo CD cannot be reached", async () => {
    const { house, look } = await following([{ state: "failed", reason: "degraded" }, { state: "healthy" }]);
    house.argocd.unreachable.add("other");
    expect(await look()).toBe("failed(degraded): checkout-1 is failed");
  });

  it("says that an Argo CD cannot be reached, and is never healthy without it", async () => {
    const { house, look } = await following([{ state: "healthy" }, { state: "healthy" }]);
    house.argocd.unreachable.add("other");
    expect(await look()).toBe("following: Argo CD other cannot be asked just now: Argo CD other cannot be reached");
    house.argocd.unreachable.clear();
    expect(await look()).toMatch(/^healthy/);
  });

  it("is blocked without an Application, and goes on when there is one", async () => {
    const { house, look } = await following([]);
    expect(await look()).toBe("following: no Argo CD Application renders the files of this commit");
    house.argocd.says(one, { state: "healthy" });
    expect(await look()).toBe("healthy: checkout-1 is healthy");
    expect(house.argocd.judged[0]?.baseline).toBeUndefined();
  });

  it("says that the Application is gone when it was deleted", async () => {
    const { house, delivery, look } = await following([{ state: "rolling" }]);
    house.argocd.delete(one);
    expect(await look()).toBe("following: Application argocd/checkout-1 does not exist");
    expect((await house.reread(delivery)).observation?.applications[0]?.memory.blockedSince).toBe(house.time.now());
  });

  it("asks for a refresh when the judge needs one; one that fails decides nothing", async () => {
    const { house, look } = await following([{ state: "pushed" }]);
    house.argocd.wantsRefresh = true;
    await look();
    expect(house.argocd.refreshed).toEqual(["checkout-1"]);
    house.argocd.refreshFails = true;
    expect(await look()).toBe("following: checkout-1 is pushed");
    expect(house.logged.map(({ message }) => message)).toContain("Argo CD refused or missed a refresh");
  });

  it("inspects what the judge wants to know, and judges the same snapshot again", async () => {
    const { house, look } = await following([{ state: "candidate" }]);
    house.argocd.wantsInspection = true;
    await look();
    expect(house.argocd.inspected).toEqual(["workloads of checkout-1"]);
    const [first, second] = house.argocd.judged;
    expect(second).toEqual({ ...first, inspection: { kind: "workloads" } });
  });

  it("does not count the time in which Argo CD cannot be asked", async () => {
    const { house, delivery, look } = await following([{ state: "rolling" }]);
    house.argocd.unreachable.add("main");
    const memories = [];
    for (let number = 0; number < 2; number++) {
      await look();
      await house.wait(60_000);
      memories.push((await house.reread(delivery)).observation?.applications[0]?.memory.blockedSince);
    }
    expect(memories[0]).toBeDefined();
    expect(memories[1]).toBe(memories[0]);
  });

  it("shows the judge the Application that deploys this one", async () => {
    const { house, look } = await following([{ state: "rolling" }, { state: "rolling" }]);
    house.argocd.says(one, { state: "rolling" }, { parent: "apps" });
    house.argocd.says({ ...one, name: "apps" }, { state: "rolling" });
    await look();
    const parents = house.argocd.judged.map(({ snapshot, parent }) => `${snapshot.ref.name} by ${parent?.ref.name}`);
    expect(parents.toSorted()).toEqual(["checkout-1 by apps", "checkout-2 by undefined"]);
  });

  it("cancels what has expired, and says that the commit stays", async () => {
    const { house, delivery, look } = await following();
    await house.wait(DAY);
    expect(await look()).toBe(
      `cancelled(expired): it was not done within its time limit; commit ${delivery.commit} stays as it is`,
    );
  });

  it("cancels what has lost its target", async () => {
    const { house, delivery, look } = await following();
    house.use({ target: () => undefined });
    expect(await look()).toBe(
      `cancelled(target-removed): checkout/staging is no longer in the configuration; commit ${delivery.commit} stays as it is`,
    );
  });

  it("does not look for its commit on the branch that its target has now", async () => {
    const { house, look } = await following();
    house.git.commit("release", { "README.md": "another branch\n" }, "start");
    house.use({ target: () => targetOf("checkout", { branch: "release" }) });
    expect(await look()).toMatch(/^cancelled\(target-removed\): checkout\/staging is now written to gitops@release/);
  });
});

describe("what the judge is told", () => {
  const factsOf = (house: House) => [...(house.argocd.judged.at(-1)?.revisions.values() ?? [])];

  it("is told which revisions cover the commit and hold its values", async () => {
    const { house, delivery, look } = await following();
    const before = house.git.log(BRANCH).at(-1)?.oid ?? "";
    const after = house.foreign("9.9");
    const revisions = [before, delivery.commit ?? "", after, BRANCH];
    house.argocd.says(one, { state: "pushed" }, { revisions });
    await look();
    expect(factsOf(house)).toEqual([
      { covers: false, content: "unknown" },
      { covers: true, content: "ours" },
      { covers: true, content: "other" },
    ]);
  });

  it("is told nothing of revisions when Git cannot be reached", async () => {
    const { house, delivery, look } = await following();
    house.argocd.says(one, { state: "pushed" }, { revisions: ["a".repeat(40), delivery.commit ?? ""] });
    house.useGit(new Proxy({} as GitRepository, { get: () => () => Promise.reject(unreachable()) }));
    await look();
    expect(factsOf(house)).toEqual([]);
    expect(house.argocd.judged.at(-1)).toMatchObject({ lost: false, commit: delivery.commit });
  });

  it("is told when the commit was forced off the branch", async () => {
    const { house, look } = await following();
    await look();
    expect(house.argocd.judged.at(-1)?.lost).toBe(false);
    house.git.reset(BRANCH, house.git.log(BRANCH).at(-1)?.oid ?? "");
    await look();
    expect(house.argocd.judged.at(-1)?.lost).toBe(true);
  });
});

describe("a commit whose value another one replaced", () => {
  it("is superseded when the other commit is ours", async () => {
    const { house, delivery } = await following([{ state: "superseded" }]);
    await house.written({ tag: "1.2" });
    expect((await house.reread(delivery)).outcome).toBe("superseded");
  });

  it("wakes the lane when it is not, and ends overridden", async () => {
    const { house, delivery, look } = await following([{ state: "superseded" }]);
    house.foreign("9.9");
    expect(await look()).toBe("following: another value stands on the branch");
    expect(await house.store.claimLane({ owner: "woken", ms: 1 })).toBeDefined();
    await house.wait(1);
    await house.write();
    expect((await house.reread(delivery)).outcome).toBe("overridden");
  });

  it("wakes the lane less often while that cannot be looked at", async () => {
    const { house, delivery, look } = await following([{ state: "superseded" }]);
    const rests = [];
    for (let number = 0; number < 3; number++) {
      await look();
      rests.push((await house.reread(delivery)).dueAt - house.time.now());
    }
    expect(rests).toEqual([2_000, 10_000, 10_000]);
  });
});
