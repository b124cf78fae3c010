import { describe, expect, it } from "vitest";
import { verify } from "../../src/delivery/verify.ts";
import { T0 } from "../fakes/examples.ts";
import { makeHouse, never, targetOf } from "./house.ts";

const DAY = 86_400_000;
const digest = `sha256:${"a".repeat(64)}` as const;
const hold = { id: "hold-1", targetId: "checkout/staging", by: "ada", why: "it crashes" };

describe("verify", () => {
  it("lets a build go on when nothing newer stands or waits", async () => {
    const house = makeHouse();
    const delivery = await house.ready({ tag: "1.1" });
    expect(delivery.phase).toBe("ready");
    expect(await house.eventsOf(delivery)).toEqual(["received", "ready"]);
  });

  it("supersedes a build that is older than what stands at the target", async () => {
    const house = makeHouse();
    const newer = await house.written({ tag: "1.2", sourceTime: T0 + 20 });
    const older = await house.ready({ tag: "1.1", sourceTime: T0 + 10 });
    expect(await house.saysOf(older)).toBe(`superseded: delivery ${newer.id} brings a newer build to checkout/staging`);
  });

  it("supersedes a build that is older than one on its way", async () => {
    const house = makeHouse();
    await house.ready({ tag: "1.2", sourceTime: T0 + 20 });
    const older = await house.ready({ tag: "1.1", sourceTime: T0 + 10 });
    expect(older.outcome).toBe("superseded");
  });

  it("lets a newer build pass what stands and what waits", async () => {
    const house = makeHouse();
    await house.written({ tag: "1.1" });
    await house.ready({ tag: "1.2" });
    expect((await house.ready({ tag: "1.3" })).phase).toBe("ready");
  });

  it("warns in the history when completion had to decide", async () => {
    const house = makeHouse();
    await house.written({ tag: "1.1", sourceTime: null });
    const newer = await house.ready({ tag: "1.2", sourceTime: null });
    expect(newer.phase).toBe("ready");
    expect(await house.eventsOf(newer)).toEqual(["received", "warning", "ready"]);
  });

  it("warns in the history of the build that completion superseded", async () => {
    const house = makeHouse();
    await house.written({ tag: "1.2", sourceTime: null, finishedAt: T0 + 20 });
    const older = await house.ready({ tag: "1.1", sourceTime: null, finishedAt: T0 + 10 });
    expect(older.outcome).toBe("superseded");
    expect(await house.eventsOf(older)).toEqual(["received", "warning", "done"]);
  });

  it("leaves one build when history and completion contradict each other in a circle", async () => {
    const house = makeHouse();
    await house.received({ tag: "a", sourceTime: T0 + 10, finishedAt: T0 + 300 });
    await house.received({ tag: "b", sourceTime: T0 + 20, finishedAt: T0 + 100 });
    await house.received({ tag: "c", sourceTime: null, finishedAt: T0 + 200 });
    const claimed = await house.store.claim(["received"], 10, { owner: "verify", ms: 1 });
    await Promise.all(claimed.map((delivery) => verify(house.deps, delivery, never)));
    const { items } = await house.store.deliveries({ limit: 10 });
    expect(items.filter(({ phase }) => phase === "ready")).toHaveLength(1);
  });

  it("does not give way to a newer build that has expired", async () => {
    const house = makeHouse();
    await house.received({ tag: "1.2", sourceTime: T0 + 20 });
    await house.wait(DAY);
    const [older] = await house.received({ tag: "1.1", sourceTime: T0 + 10 });
    await verify(house.deps, older!, never);
    expect((await house.reread(older!)).phase).toBe("ready");
  });

  it.each([
    ["its digest", { digest }],
    ["everything", {}],
  ])("waits while %s is held", async (_name, what) => {
    const house = makeHouse();
    await house.store.createHold({ ...hold, ...what });
    const delivery = await house.ready({ tag: "1.1", digest });
    expect(delivery).toMatchObject({ phase: "waiting", waitReason: "hold", message: "held by ada: it crashes" });
  });

  it("goes past a hold on another digest and past one that is over", async () => {
    const house = makeHouse();
    await house.store.createHold({ ...hold, digest });
    await house.store.createHold({ ...hold, id: "hold-2", until: T0 + 1_000 });
    await house.wait(1_000);
    expect((await house.ready({ tag: "1.1" })).phase).toBe("ready");
  });

  it("waits while the target is pinned, and goes on once it is released", async () => {
    const house = makeHouse();
    await house.store.pin("checkout/staging", { by: "ada", why: "demo" });
    const delivery = await house.ready({ tag: "1.1" });
    expect(delivery).toMatchObject({
      phase: "waiting",
      waitReason: "pin",
      message: "checkout/staging is pinned by ada: demo",
    });
    await house.store.unpin("checkout/staging");
    await house.verifyDue();
    expect((await house.reread(delivery)).phase).toBe("ready");
  });

  it("writes that it waits once, however often it looks", async () => {
    const house = makeHouse();
    await house.store.createHold(hold);
    const delivery = await house.ready({ tag: "1.1" });
    for (let look = 0; look < 3; look++) {
      await house.wait(10_000);
      await house.verifyDue();
    }
    expect(await house.eventsOf(delivery)).toEqual(["received", "waiting"]);
    expect((await house.reread(delivery)).version).toBe(5);
  });

  it("lets only the newest build wait at a pinned target", async () => {
    const house = makeHouse();
    await house.store.pin("checkout/staging", { by: "ada", why: "demo" });
    const older = await house.ready({ tag: "1.1" });
    const newer = await house.ready({ tag: "1.2" });
    await house.wait(10_000);
    await house.verifyDue();
    expect((await house.reread(older)).outcome).toBe("superseded");
    expect((await house.reread(newer)).waitReason).toBe("pin");
  });

  it("cancels what has expired", async () => {
    const house = makeHouse();
    const [delivery] = await house.received({ tag: "1.1" });
    await house.wait(DAY);
    await house.verifyDue();
    expect(await house.saysOf(delivery!)).toBe("cancelled(expired): it was not done within its time limit");
  });

  it("cancels what has lost its target", async () => {
    const house = makeHouse();
    const [delivery] = await house.received({ tag: "1.1" });
    house.use({ target: () => undefined });
    await house.verifyDue();
    expect(await house.saysOf(delivery!)).toBe(
      "cancelled(target-removed): checkout/staging is no longer in the configuration",
    );
  });

  it("cancels what was meant for another branch than its target now has", async () => {
    const house = makeHouse();
    const [delivery] = await house.received({ tag: "1.1" });
    house.use({ target: () => targetOf("checkout", { branch: "release" }) });
    await house.verifyDue();
    expect(await house.saysOf(delivery!)).toBe(
      "cancelled(target-removed): checkout/staging is now written to gitops@release, this was for gitops@main",
    );
  });
});
