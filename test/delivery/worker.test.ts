import { describe, expect, it } from "vitest";
import { GitspanError } from "../../src/model/errors.ts";
import { BRANCH } from "./house.ts";
import { applicationRef } from "./scripted-argocd.ts";
import { slowPush, workerSite } from "./worker-site.ts";

const site = workerSite();

describe("the worker", () => {
  it("takes a build from its arrival to its outcome", async () => {
    site.start();
    const [delivery] = await site.house.received({ tag: "1.1" });
    await site.house.wait(10_000);
    expect(await site.house.saysOf(delivery!)).toBe("healthy: checkout is healthy");
    expect(await site.house.eventsOf(delivery!)).toEqual(["received", "ready", "writing", "landed", "verdict", "done"]);
  });

  it("finishes on stop what is under way, and takes nothing new", async () => {
    const push = slowPush(site.house);
    site.start();
    const [delivery] = await site.house.received({ tag: "1.1" });
    await site.house.wait(2_000);
    expect(push.begun()).toBe(true);
    site.stop.abort();
    const [late] = await site.house.received({ tag: "1.2" });
    await site.house.wait(1_000);
    expect(site.hasEnded).toBe(false);
    push.answer();
    await site.house.wait(1_000);
    expect(site.hasEnded).toBe(true);
    expect((await site.house.reread(delivery!)).phase).toBe("following");
    expect((await site.house.reread(late!)).phase).toBe("received");
  });

  it("begins no second push after stop, though the first lost its race", async () => {
    const push = slowPush(site.house);
    site.start();
    await site.house.received({ tag: "1.1" });
    await site.house.wait(2_000);
    site.stop.abort();
    site.house.git.commit(BRANCH, { "README.md": "theirs\n" }, "docs");
    push.answer();
    await site.house.wait(1_000);
    expect(site.hasEnded).toBe(true);
    expect(site.house.writers()).toEqual(["", ""]);
  });

  it("breaks off on abort, and leaves an open attempt to whoever comes next", async () => {
    const push = slowPush(site.house);
    site.start();
    const [delivery] = await site.house.received({ tag: "1.1" });
    await site.house.wait(2_000);
    expect(push.begun()).toBe(true);
    site.stop.abort();
    site.abort.abort();
    await site.house.wait(1_000);
    expect(site.hasEnded).toBe(true);
    expect((await site.house.reread(delivery!)).phase).toBe("writing");
    [site.stop, site.abort] = [new AbortController(), new AbortController()];
    site.start({ owner: "next" });
    await site.house.wait(30_000);
    expect(site.house.writers()).toEqual([delivery!.id, ""]);
  });

  it("goes on when a stage throws, and says so", async () => {
    const { claim } = site.house.store;
    let failures = 3;
    site.house.store.claim = async (...input) => {
      if (failures-- > 0) throw new GitspanError("store-unavailable", "the database is away", { transient: true });
      return claim.apply(site.house.store, input);
    };
    site.start();
    const [delivery] = await site.house.received({ tag: "1.1" });
    await site.house.wait(20_000);
    expect((await site.house.reread(delivery!)).outcome).toBe("healthy");
    expect(site.logged("a stage failed")).toHaveLength(3);
  });

  it("says when a stage fails while it stops", async () => {
    const { releaseLane } = site.house.store;
    const push = slowPush(site.house);
    site.house.store.releaseLane = async () => {
      site.house.store.releaseLane = releaseLane;
      throw new GitspanError("store-unavailable", "the database is away");
    };
    site.start();
    await site.house.received({ tag: "1.1" });
    await site.house.wait(2_000);
    site.stop.abort();
    push.answer();
    await site.house.wait(2_000);
    expect(site.logged("a stage failed")).toHaveLength(1);
  });

  it("waits longer after each failure, and at once less after a success", async () => {
    const asked: number[] = [];
    site.house.argocd.unreachable.add("main");
    site.house.argocd.find = async () => {
      asked.push(site.house.time.now());
      throw new GitspanError("argocd-unreachable", "away", { transient: true });
    };
    const delivery = await site.house.written({ tag: "1.1" });
    asked.length = 0;
    site.start({ pollMs: 50 });
    await site.house.wait(60_000);
    const rests = asked.slice(1).map((at, index) => at - asked[index]!);
    expect(rests.slice(0, 2).every((rest) => rest <= 50)).toBe(true);
    expect(rests.slice(2, 7)).toEqual(rests.slice(2, 7).toSorted((a, b) => a - b));
    expect(rests.at(-1)).toBeGreaterThan(5_000);
    expect(await site.house.saysOf(delivery)).toBe("following: tried again soon: away");
    site.house.argocd.find = async ({ paths }) => new Map(paths.map((path) => [path, [applicationRef("checkout")]]));
    site.house.argocd.unreachable.clear();
    await site.house.wait(60_000);
    expect((await site.house.reread(delivery)).outcome).toBe("healthy");
  });

  it("lets one delivery that hangs hold up no other", async () => {
    const hanging = Promise.withResolvers<never>();
    const { build } = site.house.store;
    const [stuck] = await site.house.received({ tag: "1.1" });
    site.house.store.build = (id) => (id === stuck?.buildId ? hanging.promise : build.call(site.house.store, id));
    site.start();
    await site.house.wait(1_000);
    const [other] = await site.house.received({ tag: "1.2" });
    await site.house.wait(25_000);
    expect((await site.house.reread(other!)).outcome).toBe("healthy");
    expect((await site.house.reread(stuck!)).phase).toBe("received");
    site.house.store.build = build;
    hanging.reject(new GitspanError("store-unavailable", "at last", { transient: true }));
    await site.house.wait(20_000);
    expect((await site.house.reread(stuck!)).outcome).toBe("superseded");
  });

  it("does not sleep over what becomes ready while it looks for work", async () => {
    const { claim: claimDeliveries, claimLane } = site.house.store;
    const looked: number[] = [];
    let readyAt = 0;
    // No other stage's work wakes it.
    site.house.store.claim = async (phases, limit, lease) =>
      lease.owner === "worker" ? [] : claimDeliveries.call(site.house.store, phases, limit, lease);
    site.house.store.claimLane = async (lease) => {
      const claim = await claimLane.call(site.house.store, lease);
      if (readyAt === 0) {
        readyAt = site.house.time.now();
        await site.house.ready({ tag: "1.1" });
      } else looked.push(site.house.time.now());
      return claim;
    };
    site.start({ pollMs: 60_000 });
    await site.house.wait(30_000);
    expect(looked[0]).toBe(readyAt);
    expect(site.house.writers()[0]).not.toBe("");
  });
});
