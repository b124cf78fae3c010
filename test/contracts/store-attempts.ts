import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  attemptFor,
  BASE,
  claimLane,
  DAY,
  digestOf,
  following,
  HEAD,
  kindsOf,
  LANE,
  LEASE,
  type MakeStore,
  nextId,
  OTHER_LEASE,
  observation,
  ready,
  reread,
  type StoreSubject,
} from "./store-samples.ts";

export function attemptContract(name: string, makeSubject: MakeStore): void {
  describe(`${name}: attempts`, () => {
    let subject: StoreSubject;
    beforeEach(async () => {
      subject = await makeSubject();
    });
    afterEach(() => subject.close());

    it("begins: the deliveries are being written, with the commit in their history", async () => {
      const { store } = subject;
      const delivery = await ready(store);
      const claim = await claimLane(store);
      const attempt = await attemptFor(store, claim, [delivery]);
      expect(await store.beginAttempt(attempt)).toEqual({ kind: "begun" });
      expect(await reread(store, delivery)).toMatchObject({ phase: "writing", version: delivery.version + 1 });
      const event = (await store.events(delivery.id)).at(-1);
      expect(event).toMatchObject({
        kind: "writing",
        data: { attempt: attempt.id, base: BASE, commit: attempt.items[0]!.commit },
      });
    });

    it("keeps what a person should know of an edit in the history, but not in the attempt", async () => {
      const { store } = subject;
      const delivery = await ready(store);
      const claim = await claimLane(store);
      const attempt = await attemptFor(store, claim, [delivery]);
      const items = attempt.items.map((item) => ({ ...item, warnings: ["the tag looks like a number"] }));
      expect(await store.beginAttempt({ ...attempt, items })).toEqual({ kind: "begun" });
      expect(await store.events(delivery.id)).toContainEqual(
        expect.objectContaining({ kind: "warning", message: "the tag looks like a number" }),
      );
      const [open] = (await store.laneWork(claim)).openAttempts;
      expect(JSON.stringify(open?.items)).not.toContain("looks like a number");
    });

    it("takes the branch for known up to the base of an attempt, not of one that is refused", async () => {
      const { store, other } = subject;
      const delivery = await ready(store);
      const claim = await claimLane(store);
      const attempt = await attemptFor(store, claim, [delivery]);
      const refused = attempt.items.map((item) => ({ ...item, targetVersion: item.targetVersion + 1 }));
      await store.beginAttempt(attempt);
      await store.beginAttempt({ ...attempt, id: nextId("attempt"), base: "e".repeat(40), items: refused });
      await store.releaseLane(claim, 0);
      expect((await claimLane(other, OTHER_LEASE)).lastSeenTip).toBe(BASE);
    });

    it("may plan a delivery that is being written again, in a second attempt", async () => {
      const { store } = subject;
      const delivery = await ready(store);
      const claim = await claimLane(store);
      await store.beginAttempt(await attemptFor(store, claim, [delivery]));
      const again = await attemptFor(store, claim, [await reread(store, delivery)]);
      expect(await store.beginAttempt(again)).toEqual({ kind: "begun" });
      expect((await store.laneWork(claim)).openAttempts).toHaveLength(2);
    });

    const fallsOut: [string, (subject: StoreSubject) => Promise<unknown>][] = [
      [
        "its target got a hold on everything",
        ({ other }) => other.createHold({ id: nextId("hold"), targetId: "checkout/dev", by: "me", why: "w" }),
      ],
      ["its target was pinned", ({ other }) => other.pin("checkout/dev", { by: "me", why: "w" })],
      ["it expired", ({ advance }) => advance(2 * DAY)],
      [
        "it is no longer as it was read",
        async ({ other }) => {
          const [entry] = await other.pending("checkout/dev");
          await other.save(entry!.delivery, { phase: "ready" });
        },
      ],
      [
        "it was cancelled",
        async ({ other }) => {
          const [entry] = await other.pending("checkout/dev");
          await other.save(entry!.delivery, {
            phase: "done",
            ending: { outcome: "cancelled", reason: "by-user", message: "m" },
          });
        },
      ],
    ];
    it.each(fallsOut)("writes nothing and names the delivery when %s", async (_why, change) => {
      const { store } = subject;
      const delivery = await ready(store, { expireAfterMs: DAY });
      const good = await ready(store, { targetId: "checkout/good", expireAfterMs: 30 * DAY });
      const claim = await claimLane(store, { ...LEASE, ms: 10 * DAY });
      const attempt = await attemptFor(store, claim, [good, delivery]);
      await change(subject);
      expect(await store.beginAttempt(attempt)).toEqual({ kind: "refused", deliveryIds: [delivery.id] });
      expect(await reread(store, good)).toMatchObject({ phase: "ready", version: good.version });
      expect((await store.laneWork(claim)).openAttempts).toEqual([]);
      expect(await kindsOf(store, good)).not.toContain("writing");
    });

    it("refuses a held digest only, and a hold no longer once it has ended", async () => {
      const { store } = subject;
      const delivery = await ready(store);
      const targetId = delivery.targetId;
      const claim = await claimLane(store);
      const until = (await store.now()) + 30_000;
      await store.createHold({ id: nextId("hold"), targetId, digest: digestOf("f"), by: "me", why: "another digest" });
      await store.createHold({
        id: nextId("hold"),
        targetId,
        digest: digestOf("a"),
        by: "me",
        why: "this digest",
        until,
      });
      expect((await store.beginAttempt(await attemptFor(store, claim, [delivery]))).kind).toBe("refused");
      await subject.advance(30_000);
      expect((await store.beginAttempt(await attemptFor(store, claim, [delivery]))).kind).toBe("begun");
    });

    it("refuses unknown deliveries, other targets' and other lanes'", async () => {
      const { store } = subject;
      const delivery = await ready(store);
      const elsewhere = await ready(store, { targetId: "else/dev", lane: { id: "z@z", repository: "z", branch: "z" } });
      const claim = await claimLane(store);
      const good = await attemptFor(store, claim, [delivery, elsewhere]);
      const [item] = good.items;
      const refused = (deliveryId: string) => ({ kind: "refused", deliveryIds: [deliveryId] });
      expect(await store.beginAttempt(good)).toEqual(refused(elsewhere.id));
      expect(await store.beginAttempt({ ...good, items: [{ ...item!, deliveryId: "none" }] })).toEqual(refused("none"));
      expect(await store.beginAttempt({ ...good, items: [{ ...item!, targetId: "else/dev" }] })).toEqual(
        refused(delivery.id),
      );
    });

    it("is told that the lane is lost: another owner, a release, or a lease that ran out", async () => {
      const { store, other } = subject;
      const delivery = await ready(store);
      const claim = await claimLane(store);
      const attempt = await attemptFor(store, claim, [delivery]);
      await subject.advance(LEASE.ms);
      expect(await store.beginAttempt(attempt)).toEqual({ kind: "lane-lost" });
      const taken = await claimLane(other, OTHER_LEASE);
      expect(await store.beginAttempt(attempt)).toEqual({ kind: "lane-lost" });
      expect(await store.adopt(attempt)).toEqual({ kind: "lane-lost" });
      await other.releaseLane(taken);
      expect(await other.beginAttempt({ ...attempt, claim: taken })).toEqual({ kind: "lane-lost" });
    });

    it("either begins or is held when a hold is created at the same time", async () => {
      const { store, other } = subject;
      for (let i = 0; i < 10; i++) {
        const delivery = await ready(store, { targetId: nextId("target") });
        const claim = await claimLane(store);
        const attempt = await attemptFor(store, claim, [delivery]);
        const hold = { id: nextId("hold"), targetId: delivery.targetId, by: "me", why: "w" };
        const [result] = await Promise.all([store.beginAttempt(attempt), other.createHold(hold)]);
        const phase = (await reread(store, delivery)).phase;
        expect(phase).toBe(result.kind === "begun" ? "writing" : "ready");
        await store.attemptDead({ id: attempt.id, laneId: LANE.id }, "end of the round");
        await store.releaseLane(claim);
      }
    });

    it("lands: the delivery follows its commit and stands at the target", async () => {
      const { store } = subject;
      const delivery = await ready(store);
      const claim = await claimLane(store);
      const attempt = await attemptFor(store, claim, [delivery]);
      await store.beginAttempt(attempt);
      const before = await store.now();
      await store.attemptLanded({ id: attempt.id, laneId: LANE.id });
      const landed = await reread(store, delivery);
      expect(landed).toMatchObject({ phase: "following", commit: attempt.items[0]!.commit });
      expect(landed.observation).toEqual({ ...observation(), pushedAt: landed.observation!.pushedAt });
      expect(landed.observation!.pushedAt).toBeGreaterThanOrEqual(before);
      expect((await store.events(delivery.id)).at(-1)).toMatchObject({
        kind: "landed",
        data: { commit: landed.commit },
      });
      const target = (await store.targetStates([delivery.targetId])).get(delivery.targetId);
      expect(target).toMatchObject({
        current: { delivery: landed, build: { id: delivery.buildId } },
        version: attempt.items[0]!.targetVersion + 1,
      });
      expect(await store.claim(["following"], 1, LEASE)).toHaveLength(1);
      expect((await store.laneWork(claim)).openAttempts).toEqual([]);
    });

    it("resolves an attempt once, whatever is said later or at the same time", async () => {
      const { store, other } = subject;
      const delivery = await ready(store);
      const claim = await claimLane(store);
      const attempt = await attemptFor(store, claim, [delivery]);
      await store.beginAttempt(attempt);
      const named = { id: attempt.id, laneId: LANE.id };
      await Promise.all([store.attemptLanded(named), other.attemptLanded(named), store.attemptLanded(named)]);
      await other.attemptDead(named, "too late");
      await store.attemptLanded({ id: "none", laneId: LANE.id });
      await store.attemptDead({ id: "none", laneId: "none" }, "unknown");
      expect(await kindsOf(store, delivery)).toEqual(["received", "writing", "landed"]);
      expect((await reread(store, delivery)).phase).toBe("following");
    });

    it("supersedes what still followed at the same target, by name", async () => {
      const { store } = subject;
      const older = await following(store);
      const elsewhere = await following(store, { targetId: "checkout/prod" });
      const newer = await following(store);
      const superseded = await reread(store, older);
      expect(superseded).toMatchObject({ phase: "done", outcome: "superseded" });
      expect(superseded.message).toContain(newer.id);
      expect(await kindsOf(store, older)).toEqual(["received", "writing", "landed", "done"]);
      expect((await reread(store, elsewhere)).phase).toBe("following");
      const target = (await store.targetStates([newer.targetId])).get(newer.targetId);
      expect(target?.current?.delivery.id).toBe(newer.id);
    });

    it("is dead: its deliveries are ready again, and its claimant says when the lane is due", async () => {
      const { store } = subject;
      const delivery = await ready(store);
      const claim = await claimLane(store);
      const attempt = await attemptFor(store, claim, [delivery]);
      await store.beginAttempt(attempt);
      await store.attemptDead({ id: attempt.id, laneId: LANE.id }, "the branch had moved");
      expect(await reread(store, delivery)).toMatchObject({ phase: "ready" });
      const event = (await store.events(delivery.id)).at(-1);
      expect(event).toMatchObject({ kind: "ready", message: expect.stringContaining("the branch had moved") });
      await store.releaseLane(claim, 30_000);
      expect(await store.claimLane(LEASE)).toBeUndefined();
      await subject.advance(30_000);
      expect(await store.claimLane(LEASE)).toBeDefined();
    });

    it("keeps a delivery in writing while another open attempt contains it", async () => {
      const { store } = subject;
      const delivery = await ready(store);
      const claim = await claimLane(store);
      const first = await attemptFor(store, claim, [delivery]);
      await store.beginAttempt(first);
      const second = await attemptFor(store, claim, [await reread(store, delivery)]);
      await store.beginAttempt(second);
      await store.attemptDead({ id: first.id, laneId: LANE.id }, "dead");
      expect((await reread(store, delivery)).phase).toBe("writing");
      await store.attemptDead({ id: second.id, laneId: LANE.id }, "dead");
      expect((await reread(store, delivery)).phase).toBe("ready");
    });

    it("leaves a delivery alone that landed with another attempt", async () => {
      const { store } = subject;
      const delivery = await ready(store);
      const claim = await claimLane(store);
      const first = await attemptFor(store, claim, [delivery]);
      await store.beginAttempt(first);
      const second = await attemptFor(store, claim, [await reread(store, delivery)]);
      await store.beginAttempt(second);
      await store.attemptLanded({ id: second.id, laneId: LANE.id });
      const landed = await reread(store, delivery);
      await store.attemptDead({ id: first.id, laneId: LANE.id }, "dead");
      expect(await reread(store, delivery)).toEqual(landed);
    });

    it("adopts a commit that stands already, under the same checks", async () => {
      const { store } = subject;
      const older = await following(store);
      const delivery = await ready(store);
      const claim = await claimLane(store);
      const { head: _head, ...attempt } = await attemptFor(store, claim, [delivery]);
      await store.pin(delivery.targetId, { by: "me", why: "w" });
      expect(await store.adopt(attempt)).toEqual({ kind: "refused", deliveryIds: [delivery.id] });
      await store.unpin(delivery.targetId);
      const { head: _again, ...fresh } = await attemptFor(store, claim, [delivery], { head: HEAD });
      expect(await store.adopt(fresh)).toEqual({ kind: "begun" });
      expect(await reread(store, delivery)).toMatchObject({ phase: "following", commit: fresh.items[0]!.commit });
      expect(await kindsOf(store, delivery)).toEqual(["received", "adopted"]);
      expect(await reread(store, older)).toMatchObject({ outcome: "superseded" });
      const target = (await store.targetStates([delivery.targetId])).get(delivery.targetId);
      expect(target?.current?.delivery.id).toBe(delivery.id);
      expect((await store.laneWork(claim)).openAttempts).toEqual([]);
    });
  });
}
