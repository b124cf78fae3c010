import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Delivery } from "../../src/model/delivery.ts";
import type { Foreign } from "../../src/model/lane.ts";
import {
  accepted,
  attemptFor,
  claimLane,
  digestOf,
  following,
  kindsOf,
  LEASE,
  type MakeStore,
  nextId,
  OTHER_LEASE,
  ready,
  reread,
  type Store,
  type StoreSubject,
} from "./store-samples.ts";

const TIP = "d".repeat(40);

export function targetContract(name: string, makeSubject: MakeStore): void {
  describe(`${name}: what others do to targets`, () => {
    let subject: StoreSubject;
    beforeEach(async () => {
      subject = await makeSubject();
    });
    afterEach(() => subject.close());

    const stateOf = async (store: Store, id: string) => (await store.targetStates([id])).get(id);
    const foreign = (delivery: Delivery, kind: Foreign["kind"]): Foreign => ({
      targetId: delivery.targetId,
      deliveryId: delivery.id,
      kind,
      commit: "e".repeat(40),
      message: `Somebody ${kind} it.`,
    });
    const claimed = async (store: Store) => {
      await store.wakeLane("gitops@main");
      return await claimLane(store);
    };

    it("remembers when it first heard of a target", async () => {
      const { store, other } = subject;
      const before = await store.now();
      const delivery = await ready(store);
      const since = (await stateOf(other, delivery.targetId))?.since ?? 0;
      expect(since).toBeGreaterThanOrEqual(before);
      expect(since).toBeLessThanOrEqual(delivery.createdAt);
      await ready(store);
      expect((await stateOf(store, delivery.targetId))?.since).toBe(since);
    });

    it("remembers the examined tip for the next claim", async () => {
      const { store, other } = subject;
      await ready(store);
      const claim = await claimLane(store);
      expect(await store.examined(claim, TIP, [])).toBe(true);
      await store.releaseLane(claim, 0);
      expect((await claimLane(other, OTHER_LEASE)).lastSeenTip).toBe(TIP);
      expect(await store.examined(claim, "f".repeat(40), [])).toBe(false);
    });

    it("takes a reverted delivery for overridden and pins its target", async () => {
      const { store } = subject;
      const delivery = await following(store);
      const before = await stateOf(store, delivery.targetId);
      const claim = await claimed(store);
      expect(await store.examined(claim, TIP, [foreign(delivery, "reverted")])).toBe(true);
      expect(await reread(store, delivery)).toMatchObject({
        phase: "done",
        outcome: "overridden",
        reason: "reverted",
        revertedBy: "e".repeat(40),
        message: "Somebody reverted it.",
      });
      expect((await kindsOf(store, delivery)).slice(-2)).toEqual(["reverted", "done"]);
      const after = await stateOf(store, delivery.targetId);
      expect(after).toMatchObject({
        pinned: { by: "git", why: "Somebody reverted it." },
        overridden: { kind: "reverted", commit: "e".repeat(40) },
      });
      expect(after!.version).toBeGreaterThan(before!.version);
    });

    it("takes a changed value for overridden without a pin, until the next landing", async () => {
      const { store } = subject;
      const delivery = await following(store);
      const claim = await claimed(store);
      await store.examined(claim, TIP, [foreign(delivery, "changed")]);
      await store.releaseLane(claim);
      const after = await stateOf(store, delivery.targetId);
      expect(after).toMatchObject({ overridden: { kind: "changed" } });
      expect(after).not.toHaveProperty("pinned");
      await following(store);
      expect(await stateOf(store, delivery.targetId)).not.toHaveProperty("overridden");
    });

    it("keeps the outcome of a delivery that was done before it was reverted", async () => {
      const { store } = subject;
      const delivery = await following(store);
      await store.save(delivery, { phase: "done", ending: { outcome: "healthy", message: "Runs." } });
      await store.examined(await claimed(store), TIP, [foreign(delivery, "reverted")]);
      expect(await reread(store, delivery)).toMatchObject({
        outcome: "healthy",
        message: "Runs.",
        revertedBy: "e".repeat(40),
      });
      expect((await stateOf(store, delivery.targetId))?.pinned?.by).toBe("git");
    });

    it("marks everything that was taken out together, and does not go back to any of it", async () => {
      const { store } = subject;
      const healthy = { phase: "done", ending: { outcome: "healthy", message: "Runs." } } as const;
      const a = await following(store);
      await store.save(a, healthy);
      const b = await following(store);
      await store.save(b, healthy);
      const c = await following(store);
      const also = [{ deliveryId: b.id, commit: "f".repeat(40) }];
      await store.examined(await claimed(store), TIP, [{ ...foreign(c, "reverted"), also }]);
      expect(await reread(store, b)).toMatchObject({ outcome: "healthy", revertedBy: "f".repeat(40) });
      expect(await kindsOf(store, b)).toEqual(["received", "writing", "landed", "done", "reverted"]);
      expect(await reread(store, c)).toMatchObject({ outcome: "overridden", revertedBy: "e".repeat(40) });
      expect((await stateOf(store, a.targetId))?.lastHealthyDeliveryId).toBe(a.id);
    });

    it("places holds instead of a pin where that is what is asked for", async () => {
      const { store } = subject;
      const delivery = await following(store);
      const hold = { id: nextId("hold"), targetId: delivery.targetId, digest: digestOf("a"), by: "git", why: "w" };
      const holds = [{ ...hold, buildId: delivery.buildId }];
      await store.examined(await claimed(store), TIP, [{ ...foreign(delivery, "reverted"), holds }]);
      expect(await stateOf(store, delivery.targetId)).not.toHaveProperty("pinned");
      expect(await store.holds([delivery.targetId])).toMatchObject([{ ...hold, build: { id: delivery.buildId } }]);
    });

    it("knows when our value stands again, once; a pin stays", async () => {
      const { store } = subject;
      const delivery = await following(store);
      const claim = await claimed(store);
      await store.examined(claim, TIP, [foreign(delivery, "reverted")]);
      const before = await stateOf(store, delivery.targetId);
      await store.examined(claim, TIP, [foreign(delivery, "restored")]);
      await store.examined(claim, TIP, [foreign(delivery, "restored")]);
      const after = await stateOf(store, delivery.targetId);
      expect(after).not.toHaveProperty("overridden");
      expect([after?.pinned?.by, after?.version]).toEqual(["git", before!.version + 1]);
      expect((await reread(store, delivery)).revertedBy).toBeUndefined();
      expect((await kindsOf(store, delivery)).slice(-3)).toEqual(["reverted", "done", "restored"]);
    });

    it("does not pin again for a commit that it was told of before", async () => {
      const { store } = subject;
      const delivery = await following(store);
      const claim = await claimed(store);
      await store.examined(claim, TIP, [foreign(delivery, "reverted")]);
      await store.unpin(delivery.targetId);
      const before = await store.events(delivery.id);
      expect(await store.examined(claim, TIP, [foreign(delivery, "reverted")])).toBe(true);
      expect(await store.events(delivery.id)).toEqual(before);
      expect(await stateOf(store, delivery.targetId)).not.toHaveProperty("pinned");
    });

    it("stores nothing for a former owner of the lane", async () => {
      const { store, other } = subject;
      const delivery = await following(store);
      const old = await claimed(store);
      await subject.advance(LEASE.ms);
      await claimLane(other, OTHER_LEASE);
      expect(await store.examined(old, TIP, [foreign(delivery, "reverted")])).toBe(false);
      expect((await reread(store, delivery)).phase).toBe("following");
    });

    it("refuses an attempt that was planned before a revert was seen", async () => {
      const { store } = subject;
      const standing = await following(store);
      const delivery = await ready(store);
      const claim = await claimLane(store);
      const attempt = await attemptFor(store, claim, [delivery]);
      await store.examined(claim, TIP, [foreign(standing, "changed")]);
      expect((await store.beginAttempt(attempt)).kind).toBe("refused");
    });

    it("holds targets, also ones that nothing was delivered to yet", async () => {
      const { store, other } = subject;
      const targetId = nextId("target");
      const hold = { id: nextId("hold"), targetId, digest: digestOf("a"), by: "me", why: "broken" };
      const created = await store.createHold(hold);
      expect(created).toMatchObject(hold);
      expect(await other.holds([targetId, "none"])).toEqual([created]);
      expect(await other.allHolds()).toContainEqual(created);
      expect(await other.targetIds()).toContain(targetId);
      const before = await stateOf(store, targetId);
      expect(await other.removeHold(hold.id)).toBe(true);
      expect(await store.removeHold(hold.id)).toBe(false);
      expect(await store.holds([targetId])).toEqual([]);
      expect((await stateOf(store, targetId))!.version).toBeGreaterThan(before!.version);
    });

    it("forgets a hold when its time is over", async () => {
      const { store } = subject;
      const until = (await store.now()) + 30_000;
      await store.createHold({ id: nextId("hold"), targetId: "checkout/dev", by: "me", why: "w", until });
      expect(await store.holds(["checkout/dev"])).toMatchObject([{ until }]);
      await subject.advance(30_000);
      expect(await store.holds(["checkout/dev"])).toEqual([]);
      expect(await store.allHolds()).toEqual([]);
    });

    it("pins and releases a target with new versions", async () => {
      const { store } = subject;
      const targetId = nextId("target");
      await store.pin(targetId, { by: "me", why: "freeze" });
      const pinned = await stateOf(store, targetId);
      expect(pinned).toMatchObject({ pinned: { by: "me", why: "freeze" } });
      expect(await store.unpin(targetId)).toBe(true);
      const released = await stateOf(store, targetId);
      expect(released).not.toHaveProperty("pinned");
      expect(released!.version).toBeGreaterThan(pinned!.version);
      expect(await store.unpin(targetId)).toBe(false);
      expect(await store.unpin("none")).toBe(false);
    });

    it("looks at waiting deliveries again when a hold or a pin is gone, also at claimed ones", async () => {
      const { store } = subject;
      const delivery = await accepted(store);
      await store.save(delivery, { phase: "waiting", waitReason: "hold", dueInMs: 60_000 });
      const hold = await store.createHold({ id: nextId("hold"), targetId: delivery.targetId, by: "me", why: "w" });
      expect(await store.claim(["waiting"], 1, LEASE)).toEqual([]);
      await store.removeHold(hold.id);
      const [claimed] = await store.claim(["waiting"], 1, LEASE);
      expect(claimed?.id).toBe(delivery.id);
      await store.pin(delivery.targetId, { by: "me", why: "w" });
      await store.unpin(delivery.targetId);
      await store.save(claimed!, { phase: "waiting", waitReason: "pin", dueInMs: 60_000 });
      expect(await store.claim(["waiting"], 1, LEASE)).toHaveLength(1);
    });
  });
}
