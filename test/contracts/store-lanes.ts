import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  accepted,
  attemptFor,
  claimLane,
  following,
  LANE,
  LEASE,
  type MakeStore,
  nextId,
  OTHER_LEASE,
  ready,
  reread,
  type StoreSubject,
} from "./store-samples.ts";

export function laneContract(name: string, makeSubject: MakeStore): void {
  describe(`${name}: lanes`, () => {
    let subject: StoreSubject;
    beforeEach(async () => {
      subject = await makeSubject();
    });
    afterEach(() => subject.close());

    it("makes a lane due when a delivery becomes ready, not before", async () => {
      const { store } = subject;
      const delivery = await accepted(store);
      expect(await store.claimLane(LEASE)).toBeUndefined();
      await store.save(delivery, { phase: "ready" });
      expect(await store.claimLane(LEASE)).toEqual({ lane: LANE, epoch: 1 });
    });

    it("gives a leased lane to nobody, its owner included, until the lease ends", async () => {
      const { store, other } = subject;
      await ready(store);
      await claimLane(store);
      expect(await other.claimLane(OTHER_LEASE)).toBeUndefined();
      expect(await store.claimLane(LEASE)).toBeUndefined();
      await subject.advance(LEASE.ms);
      expect(await other.claimLane(OTHER_LEASE)).toMatchObject({ epoch: 2 });
    });

    it("raises the epoch only when the owner changes", async () => {
      const { store } = subject;
      await ready(store);
      for (const [lease, epoch] of [
        [LEASE, 1],
        [LEASE, 1],
        [OTHER_LEASE, 2],
        [LEASE, 3],
      ] as const) {
        const claim = await claimLane(store, lease);
        expect(claim.epoch).toBe(epoch);
        await store.releaseLane(claim, 0);
      }
    });

    it("gives one lane to one of many who ask at once", async () => {
      const { store, other } = subject;
      await ready(store);
      const claims = await Promise.all(
        Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? store : other).claimLane({ owner: `w${i}`, ms: 60_000 })),
      );
      expect(claims.filter((claim) => claim !== undefined)).toHaveLength(1);
    });

    it("gives several due lanes to several owners", async () => {
      const { store, other } = subject;
      for (const branch of ["a", "b"]) {
        await ready(store, { targetId: nextId("target"), lane: { id: `r@${branch}`, repository: "r", branch } });
      }
      const ids = [(await claimLane(store)).lane.id, (await claimLane(other, OTHER_LEASE)).lane.id];
      expect(ids.sort()).toEqual(["r@a", "r@b"]);
    });

    it("leaves a released lane alone until something becomes ready", async () => {
      const { store } = subject;
      await ready(store);
      await store.releaseLane(await claimLane(store));
      await subject.advance(3_600_000);
      expect(await store.claimLane(LEASE)).toBeUndefined();
      await ready(store);
      expect(await store.claimLane(LEASE)).toBeDefined();
    });

    it("does not lose a delivery that became ready while the lane was leased", async () => {
      const { store, other } = subject;
      await ready(store);
      const claim = await claimLane(store);
      await ready(other);
      await store.releaseLane(claim);
      const again = await claimLane(store);
      await ready(other);
      await store.releaseLane(again, 3_600_000);
      expect(await store.claimLane(LEASE)).toBeDefined();
    });

    it("looks again after the time given at the release, and not before", async () => {
      const { store } = subject;
      await ready(store);
      await store.releaseLane(await claimLane(store), 30_000);
      expect(await store.claimLane(LEASE)).toBeUndefined();
      await subject.advance(30_000);
      expect(await store.claimLane(LEASE)).toBeDefined();
    });

    it("is due after its owner died, whatever the owner had seen", async () => {
      const { store, other } = subject;
      await ready(store);
      await claimLane(store);
      await subject.advance(LEASE.ms);
      expect(await other.claimLane(OTHER_LEASE)).toMatchObject({ lane: LANE, epoch: 2 });
    });

    it("is due at once after a release that leaves an attempt open", async () => {
      const { store } = subject;
      const delivery = await ready(store);
      const claim = await claimLane(store);
      await store.beginAttempt(await attemptFor(store, claim, [delivery]));
      await store.releaseLane(claim);
      const again = await claimLane(store);
      await store.releaseLane(again, 30_000);
      expect(await store.claimLane(LEASE)).toBeUndefined();
      await subject.advance(30_000);
      expect(await store.claimLane(LEASE)).toBeDefined();
    });

    it("wakes a lane by name, also a leased one, and ignores one that is unknown", async () => {
      const { store } = subject;
      await accepted(store);
      await store.wakeLane("none@main");
      expect(await store.claimLane(LEASE)).toBeUndefined();
      await store.wakeLane(LANE.id);
      const claim = await claimLane(store);
      await store.wakeLane(LANE.id);
      await store.releaseLane(claim);
      expect(await store.claimLane(LEASE)).toBeDefined();
    });

    it("renews a lease, also one that has run out unnoticed, but not a lost or released one", async () => {
      const { store, other } = subject;
      await ready(store);
      const claim = await claimLane(store);
      await subject.advance(LEASE.ms - 30_000);
      expect(await store.renewLane(claim, LEASE)).toBe(true);
      await subject.advance(LEASE.ms - 30_000);
      expect(await other.claimLane(OTHER_LEASE)).toBeUndefined();
      await subject.advance(LEASE.ms);
      expect(await store.renewLane(claim, LEASE)).toBe(true);
      await subject.advance(LEASE.ms);
      const taken = await claimLane(other, OTHER_LEASE);
      expect(await store.renewLane(claim, LEASE)).toBe(false);
      await other.releaseLane(taken);
      expect(await other.renewLane(taken, OTHER_LEASE)).toBe(false);
    });

    it("ignores a release by a former owner", async () => {
      const { store, other } = subject;
      await ready(store);
      const old = await claimLane(store);
      await subject.advance(LEASE.ms);
      const claim = await claimLane(other, OTHER_LEASE);
      await store.releaseLane(old, 0);
      expect(await store.claimLane(LEASE)).toBeUndefined();
      expect(await other.renewLane(claim, OTHER_LEASE)).toBe(true);
    });

    it("reads a lane's work: what is ready or being written, open attempts, targets and holds", async () => {
      const { store } = subject;
      const standing = await following(store, { targetId: "checkout/standing" });
      const first = await ready(store);
      const second = await ready(store, { targetId: "checkout/prod" });
      await ready(store, { targetId: "else/dev", lane: { id: "z@z", repository: "z", branch: "z" } });
      await accepted(store, { targetId: "checkout/received" });
      const hold = await store.createHold({ id: nextId("hold"), targetId: "checkout/prod", by: "me", why: "w" });
      const claim = await claimLane(store);
      const attempt = await attemptFor(store, claim, [first]);
      await store.beginAttempt(attempt);
      const work = await store.laneWork(claim);
      const writing = await reread(store, first);
      expect(work.ready.map(({ delivery }) => delivery)).toEqual([writing, second]);
      expect(work.ready.map(({ build }) => build.id)).toEqual([first.buildId, second.buildId]);
      expect(work.openAttempts).toMatchObject([
        { id: attempt.id, laneId: LANE.id, epoch: claim.epoch, base: attempt.base, head: attempt.head },
      ]);
      const [item] = work.openAttempts[0]!.items;
      expect(item).toEqual({
        deliveryId: first.id,
        targetId: first.targetId,
        commit: attempt.items[0]!.commit,
        observation: attempt.items[0]!.observation,
      });
      expect(work.targets.map(({ id }) => id)).toEqual(["checkout/dev", "checkout/prod"]);
      const targets = await store.standing(claim);
      expect(targets).toMatchObject([
        { id: "checkout/standing", current: { delivery: { id: standing.id }, build: { id: standing.buildId } } },
      ]);
      expect(work.holds).toEqual([hold]);
      expect(work.now).toBeLessThanOrEqual(await store.now());
    });
  });
}
