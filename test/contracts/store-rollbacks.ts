import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Delivery } from "../../src/model/delivery.ts";
import type { RollbackInput } from "../../src/model/rollback.ts";
import {
  attemptFor,
  claimLane,
  DAY,
  digestOf,
  following,
  kindsOf,
  type MakeStore,
  nextId,
  ready,
  reread,
  type Store,
  type StoreSubject,
} from "./store-samples.ts";

export function rollbackContract(name: string, makeSubject: MakeStore): void {
  describe(`${name}: rollbacks`, () => {
    let subject: StoreSubject;
    beforeEach(async () => {
      subject = await makeSubject();
    });
    afterEach(() => subject.close());

    const stateOf = async (store: Store, id: string) => (await store.targetStates([id])).get(id)!;

    /** A healthy delivery and two after it. */
    async function three(store: Store) {
      const a = await following(store);
      await store.save(a, { phase: "done", ending: { outcome: "healthy", message: "Runs." } });
      const b = await following(store);
      return { a, b, c: await following(store) };
    }

    async function inputFor(store: Store, undone: readonly Delivery[], restores: Delivery): Promise<RollbackInput> {
      const [standing] = undone;
      const { targetId, app, environment, laneId } = standing!;
      const { images, buildId } = restores;
      return {
        delivery: { id: nextId("rollback"), targetId, app, environment, laneId, buildId, images },
        rollback: {
          reverts: standing!.id,
          undoes: undone.map(({ id }) => id),
          restores: restores.id,
          trigger: "manual",
          by: { subject: "token:ada", groups: ["team"] },
          why: "it charges twice",
        },
        expireAfterMs: DAY,
        targetVersion: (await stateOf(store, targetId)).version,
        holds: [
          { id: nextId("hold"), targetId, digest: digestOf("f"), buildId: standing!.buildId, by: "me", why: "w" },
        ],
      };
    }

    async function land(store: Store, delivery: Delivery, images = delivery.images): Promise<Delivery> {
      await store.save(delivery, { phase: "ready" });
      await store.wakeLane(delivery.laneId);
      const claim = await claimLane(store);
      const attempt = await attemptFor(store, claim, [await reread(store, delivery)]);
      await store.beginAttempt({ ...attempt, items: attempt.items.map((item) => ({ ...item, images })) });
      await store.attemptLanded({ id: attempt.id, laneId: claim.lane.id });
      await store.releaseLane(claim);
      return await reread(store, delivery);
    }

    it("tells what landed at a target, newest landing first, with its builds", async () => {
      const { store } = subject;
      const { a, b, c } = await three(store);
      await ready(store);
      await following(store, { targetId: "checkout/prod" });
      const written = await store.written(a.targetId, 10);
      expect(written.map(({ delivery }) => delivery.id)).toEqual([c.id, b.id, a.id]);
      expect(written.map(({ build }) => build.id)).toEqual([c.buildId, b.buildId, a.buildId]);
      expect(await store.written(a.targetId, 2)).toEqual(written.slice(0, 2));
    });

    it("begins: stored with its holds, which name their build, and with a new version of the target", async () => {
      const { store, other } = subject;
      const { a, b, c } = await three(store);
      const input = await inputFor(store, [c, b], a);
      const result = await store.rollBack(input);
      const stored = await reread(other, input.delivery);
      expect(result).toEqual({ kind: "begun", delivery: stored });
      expect(stored).toMatchObject({
        kind: "rollback",
        phase: "received",
        buildId: a.buildId,
        rollback: input.rollback,
        images: a.images,
        expireAt: stored.createdAt + DAY,
      });
      expect(await other.events(stored.id)).toMatchObject([{ kind: "received", data: { trigger: "manual" } }]);
      const [hold] = await other.holds([a.targetId]);
      expect(hold).toMatchObject({ digest: digestOf("f"), build: { id: c.buildId } });
      expect((await other.allHolds())[0]).toEqual(hold);
      expect((await stateOf(store, a.targetId)).version).toBe(input.targetVersion + 1);
      expect((await store.claim(["received"], 10, { owner: "x", ms: 1_000 })).map(({ id }) => id)).toEqual([stored.id]);
    });

    it("is one for a delivery, also when it is asked for at the same time", async () => {
      const { store, other } = subject;
      const { a, b, c } = await three(store);
      const input = await inputFor(store, [c, b], a);
      const again = { ...input, delivery: { ...input.delivery, id: nextId("rollback") }, holds: [] };
      const results = await Promise.all([store.rollBack(input), other.rollBack(again)]);
      expect(results.map(({ kind }) => kind).toSorted()).toEqual(["begun", "repeat"]);
      const [first, second] = results.map((result) => ("delivery" in result ? result.delivery.id : ""));
      expect(first).toBe(second);
    });

    it("is one for ever once it has landed, and another one may follow that ended unwritten", async () => {
      const { store } = subject;
      const { a, b, c } = await three(store);
      const first = await store.rollBack(await inputFor(store, [c, b], a));
      if (!("delivery" in first)) throw new Error(first.kind);
      const ending = { outcome: "rejected", reason: "push-refused", message: "no" } as const;
      await store.save(first.delivery, { phase: "done", ending });
      const second = await store.rollBack(await inputFor(store, [c, b], a));
      if (second.kind !== "begun") throw new Error(second.kind);
      const landed = await land(store, second.delivery);
      expect(await store.rollBack(await inputFor(store, [c, b], a))).toEqual({ kind: "repeat", delivery: landed });
    });

    it("stores nothing when the target has changed, or something else stands there", async () => {
      const { store } = subject;
      const { a, b, c } = await three(store);
      const input = await inputFor(store, [c, b], a);
      await store.pin(a.targetId, { by: "me", why: "w" });
      expect(await store.rollBack(input)).toEqual({ kind: "stale" });
      expect(await store.rollBack(await inputFor(store, [b], a))).toEqual({ kind: "stale" });
      expect(await store.holds([a.targetId])).toEqual([]);
      expect(await store.delivery(input.delivery.id)).toBeUndefined();
    });

    const failing = (delivery: Delivery) => ({
      delivery,
      change: {
        phase: "done" as const,
        ending: { outcome: "failed" as const, reason: "degraded" as const, message: "It is Degraded." },
        events: [{ kind: "rollback", message: "taken out" }],
      },
    });
    const brake = { clusters: ["main"], atMost: 1, withinMs: 600_000 };

    async function automatic(store: Store, undone: readonly Delivery[], restores: Delivery): Promise<RollbackInput> {
      const input = await inputFor(store, undone, restores);
      const rollback = { ...input.rollback, trigger: "automatic" as const, clusters: ["main"] };
      return { ...input, rollback, failed: failing(undone[0]!), brake };
    }

    it("ends the failed delivery in the same transaction, or stores nothing", async () => {
      const { store } = subject;
      const { a, b, c } = await three(store);
      const input = await automatic(store, [c, b], a);
      const [claimed] = await store.claim(["following"], 1, { owner: "x", ms: 60_000 });
      await store.save(claimed!, { phase: "following", message: "somebody was faster" });
      expect(await store.rollBack(input)).toEqual({ kind: "stale" });
      expect(await reread(store, c)).toMatchObject({ phase: "following" });
      const again = await automatic(store, [await reread(store, c), b], a);
      expect((await store.rollBack(again)).kind).toBe("begun");
      expect(await reread(store, c)).toMatchObject({ phase: "done", outcome: "failed", reason: "degraded" });
      expect((await kindsOf(store, c)).slice(-2)).toEqual(["rollback", "done"]);
    });

    it("fires no more automatic ones than the brake allows, also when they come at once, until it was calm", async () => {
      const { store, other } = subject;
      const inputs: RollbackInput[] = [];
      for (const targetId of ["checkout/one", "checkout/two"]) {
        const a = await following(store, { targetId });
        await store.save(a, { phase: "done", ending: { outcome: "healthy", message: "Runs." } });
        inputs.push(await automatic(store, [await following(store, { targetId })], a));
      }
      const results = await Promise.all([store.rollBack(inputs[0]!), other.rollBack(inputs[1]!)]);
      expect(results.map(({ kind }) => kind).toSorted()).toEqual(["begun", "braked"]);
      const refused = inputs[results.findIndex(({ kind }) => kind === "braked")]!;
      expect((await reread(store, { id: refused.rollback.reverts })).phase).toBe("following");
      expect(await store.holds([refused.delivery.targetId])).toEqual([]);
      const [pulled] = await other.brakes();
      expect(pulled).toMatchObject({ cluster: "main", why: "1 automatic rollbacks within 10 minutes on Argo CD main" });
      expect((await store.rollBack({ ...refused, brake: { ...brake, atMost: 99 } })).kind).toBe("braked");
      await subject.advance(brake.withinMs + 1_000);
      expect(await store.brakes()).toEqual([]);
      expect((await store.rollBack(refused)).kind).toBe("begun");
    });

    it("pulls the brake for any reason that is given, on that Argo CD alone", async () => {
      const { store } = subject;
      const { a, b, c } = await three(store);
      const input = await automatic(store, [c, b], a);
      const because = "others degrade";
      expect(await store.rollBack({ ...input, brake: { ...brake, because } })).toEqual({
        kind: "braked",
        why: because,
      });
      expect(await store.brakes()).toMatchObject([{ cluster: "main", why: because }]);
      expect((await store.rollBack({ ...input, brake: { ...brake, clusters: ["edge"] } })).kind).toBe("begun");
    });

    it("tells which Applications are followed or were lately", async () => {
      const { store } = subject;
      const followed = await following(store);
      const done = await following(store, { targetId: "checkout/prod" });
      await store.save(done, { phase: "done", ending: { outcome: "healthy", message: "Runs." } });
      expect(await store.touched(60_000)).toHaveLength(2);
      await subject.advance(120_000);
      expect(await store.touched(60_000)).toEqual(followed.observation?.applications.map(({ ref }) => ref));
    });

    it("marks what it has taken out when it lands, ends what still followed, and takes back what was healthy", async () => {
      const { store } = subject;
      const { a, b, c } = await three(store);
      await store.save(c, { phase: "done", ending: { outcome: "healthy", message: "Runs." } });
      const d = await following(store);
      const result = await store.rollBack(await inputFor(store, [d, c, b], a));
      if (result.kind !== "begun") throw new Error(result.kind);
      const [image] = a.images;
      const brought = [{ ...image!, tag: "0.9.0" }];
      const landed = await land(store, result.delivery, brought);
      expect(landed).toMatchObject({ phase: "following", images: brought });
      expect(await reread(store, d)).toMatchObject({ outcome: "overridden", reason: "reverted" });
      expect(await kindsOf(store, d)).toEqual(["received", "writing", "landed", "rolled-back", "done"]);
      expect(await reread(store, c)).toMatchObject({ outcome: "healthy", revertedBy: landed.commit });
      expect(await reread(store, b)).toMatchObject({ outcome: "superseded", revertedBy: landed.commit });
      expect(await reread(store, a)).not.toHaveProperty("revertedBy");
      const state = await stateOf(store, a.targetId);
      expect([state.current?.delivery.id, state.lastHealthyDeliveryId]).toEqual([landed.id, a.id]);
    });
  });
}
