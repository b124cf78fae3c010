import { describe, expect, it } from "vitest";
import { startRollback } from "../../src/delivery/rollback.ts";
import { makeHouse, overlayOf, PERSON, pathOf, repositoryOf, targetOf } from "./house.ts";

const TARGET = "checkout/staging";

describe("what a rollback leaves alone", () => {
  const both = targetOf("checkout", {
    images: ["checkout", "worker"].map((name) => ({ name, repository: repositoryOf(name) })),
  });
  const text = (checkout: string, worker: string) => overlayOf(both, "X").replace("X", checkout).replace("X", worker);

  async function withBoth() {
    const house = makeHouse({ targets: [both] });
    await house.healthy({ tag: "1.1", apps: ["checkout", "worker"] });
    await house.written({ tag: "1.2", apps: ["checkout", "worker"] });
    return house;
  }

  it("is a value that somebody else changed before anybody looked; the others go back", async () => {
    const house = await withBoth();
    house.git.onPush = () => {
      house.git.onPush = undefined;
      house.git.commit("main", { [pathOf(both)]: text("1.2", "9.9-hotfix") }, "hotfix");
      return undefined;
    };
    await startRollback({ ...house.deps, store: house.store }, { caller: PERSON, targetId: TARGET, why: "w" });
    await house.verifyDue();
    await house.write();
    expect(house.fileOf()).toBe(text("1.1", "9.9-hotfix"));
    const [rollback] = (await house.store.deliveries({ limit: 1 })).items;
    expect(rollback?.images.map(({ name }) => name)).toEqual(["checkout"]);
  });

  it("is everything when every value was changed: then it says so and writes nothing", async () => {
    const house = await withBoth();
    const { delivery } = await startRollback(
      { ...house.deps, store: house.store },
      { caller: PERSON, targetId: TARGET, why: "w" },
    );
    await house.verifyDue();
    const claim = await house.claimLane();
    const work = await house.store.laneWork(claim);
    await house.store.releaseLane(claim);
    expect(work.ready).toHaveLength(1);
    house.foreign("9.9", "hotfix");
    await house.write();
    expect(house.fileOf()).toBe(text("9.9", "9.9"));
    expect(await house.saysOf(delivery)).toMatch(/^overridden\(changed\): somebody else has changed every value/);
  });

  it("is layout, comments and lines beside the values", async () => {
    const house = await withBoth();
    house.git.commit("main", { [pathOf(both)]: `# news\n${text("1.2", "1.2")}patches: []\n` }, "more");
    await house.write();
    await house.rolledBack(TARGET);
    expect(house.fileOf()).toBe(`# news\n${text("1.1", "1.1")}patches: []\n`);
  });

  it("is an image that the taken out deliveries did not bring", async () => {
    const house = makeHouse({ targets: [both] });
    await house.healthy({ tag: "1.1", apps: ["checkout", "worker"] });
    await house.written({ tag: "1.2", apps: ["worker"] });
    await house.rolledBack(TARGET);
    expect(house.fileOf()).toBe(text("1.1", "1.1"));
    const rollback = (await house.targetState())?.current?.delivery;
    expect(rollback?.images.map(({ name }) => name)).toEqual(["worker"]);
  });

  it("of an image that no delivery of ours brought before, what stood before comes back", async () => {
    const house = makeHouse({ targets: [both] });
    await house.healthy({ tag: "1.1", apps: ["checkout"] });
    await house.written({ tag: "1.2", apps: ["worker"] });
    await house.rolledBack(TARGET);
    expect(house.fileOf()).toBe(text("1.1", "1.0"));
  });

  it("is the commit of somebody else that a delivery only adopted: its values go back one by one", async () => {
    const house = makeHouse({ targets: [both] });
    await house.healthy({ tag: "1.1", apps: ["checkout", "worker"] });
    house.git.commit("main", { [pathOf(both)]: text("1.2", "1.2"), "docs/a.md": "news\n" }, "by hand");
    const adopted = await house.written({ tag: "1.2", apps: ["checkout", "worker"] });
    expect(await house.eventsOf(adopted)).toContain("adopted");
    await house.rolledBack(TARGET);
    expect(house.fileOf()).toBe(text("1.1", "1.1"));
    expect(house.git.show("main", "docs/a.md")).toBe("news\n");
    expect(house.git.log("main")[0]?.message).not.toContain("This reverts commit");
  });

  it("is a history that somebody has rewritten: the values go back, and no commit is named that is gone", async () => {
    const house = await withBoth();
    const commit = (await house.targetState())!.current!.delivery.commit!;
    house.git.commit("other", { [pathOf(both)]: text("1.2", "1.2") }, "new history");
    house.git.reset("main", await house.git.tip("other", new AbortController().signal));
    house.git.forget(commit);
    await house.write();
    await house.rolledBack(TARGET);
    expect(house.fileOf()).toBe(text("1.1", "1.1"));
    expect(house.git.log("main")[0]?.message).not.toContain("This reverts commit");
  });
});
