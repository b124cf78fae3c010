import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  accepted,
  attemptFor,
  claimLane,
  following,
  kindsOf,
  LEASE,
  type MakeStore,
  nextId,
  OTHER_LEASE,
  observation,
  ready,
  reread,
  type StoreSubject,
} from "./store-samples.ts";

export function workContract(name: string, makeSubject: MakeStore): void {
  describe(`${name}: work on deliveries`, () => {
    let subject: StoreSubject;
    beforeEach(async () => {
      subject = await makeSubject();
    });
    afterEach(() => subject.close());

    it("gives due deliveries of the wanted phases, oldest first and no more than the limit", async () => {
      const { store } = subject;
      const first = await accepted(store);
      await ready(store);
      await subject.advance(5);
      const second = await accepted(store);
      const third = await accepted(store);
      expect((await store.claim(["received"], 2, LEASE)).map(({ id }) => id)).toEqual([first.id, second.id]);
      expect((await store.claim(["received", "following"], 9, LEASE)).map(({ id }) => id)).toEqual([third.id]);
      expect(await store.claim(["received"], 9, LEASE)).toEqual([]);
      expect(await store.claim([], 9, LEASE)).toEqual([]);
    });

    it("gives a claimed delivery to nobody else until its lease ends", async () => {
      const { store, other } = subject;
      const delivery = await accepted(store);
      expect(await store.claim(["received"], 9, LEASE)).toEqual([delivery]);
      expect(await other.claim(["received"], 9, OTHER_LEASE)).toEqual([]);
      expect(await store.claim(["received"], 9, LEASE)).toEqual([]);
      await subject.advance(LEASE.ms);
      expect((await other.claim(["received"], 9, OTHER_LEASE)).map(({ id }) => id)).toEqual([delivery.id]);
    });

    it("claims nothing twice under many simultaneous claims", async () => {
      const { store, other } = subject;
      for (let i = 0; i < 30; i++) await accepted(store, { targetId: nextId("target") });
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          (i % 2 === 0 ? store : other).claim(["received"], 4, { owner: `w${i}`, ms: 60_000 }),
        ),
      );
      const ids = claims.flat().map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      while (ids.length < 30) ids.push(...(await store.claim(["received"], 30, LEASE)).map(({ id }) => id));
      expect(new Set(ids).size).toBe(30);
    });

    it("saves a change once: the second writer of the same version is told so", async () => {
      const { store, other } = subject;
      const delivery = await accepted(store);
      const change = {
        phase: "waiting",
        waitReason: "hold",
        message: "Held.",
        events: [{ kind: "waiting", message: "Held.", data: { hold: "h" } }],
      } as const;
      const results = await Promise.all(
        [store, other, store, other].map((one) => one.save(delivery, { ...change, events: [...change.events] })),
      );
      expect(results.filter(Boolean)).toHaveLength(1);
      expect(await reread(store, delivery)).toMatchObject({
        phase: "waiting",
        waitReason: "hold",
        message: "Held.",
        version: 2,
      });
      expect(await store.events(delivery.id)).toMatchObject([{ kind: "received" }, change.events[0]]);
      expect(await store.save({ id: "none", version: 1 }, change as never)).toBe(false);
    });

    it("frees the lease and waits for the next due time", async () => {
      const { store } = subject;
      await accepted(store);
      const [claimed] = await store.claim(["received"], 1, LEASE);
      expect(await store.save(claimed!, { phase: "received", dueInMs: 30_000 })).toBe(true);
      expect(await store.claim(["received"], 1, LEASE)).toEqual([]);
      await subject.advance(30_000);
      expect(await store.claim(["received"], 1, LEASE)).toHaveLength(1);
    });

    it("is due at once when no due time is given", async () => {
      const { store } = subject;
      await accepted(store);
      const [claimed] = await store.claim(["received"], 1, LEASE);
      await store.save(claimed!, { phase: "waiting", waitReason: "signature" });
      expect(await store.claim(["waiting"], 1, OTHER_LEASE)).toHaveLength(1);
    });

    it("keeps what is absent from a change, but not the reason to wait once the waiting is over", async () => {
      const { store } = subject;
      const delivery = await accepted(store);
      await store.save(delivery, { phase: "waiting", waitReason: "hold", message: "Held." });
      const waiting = await reread(store, delivery);
      await store.save(waiting, { phase: "waiting" });
      expect(await reread(store, delivery)).toMatchObject({ waitReason: "hold", message: "Held." });
      await store.save(await reread(store, delivery), { phase: "ready" });
      const now = await reread(store, delivery);
      expect(now).not.toHaveProperty("waitReason", "hold");
      expect(now.message).toBeUndefined();
      expect(now.phase).toBe("ready");
    });

    it("ends a delivery for good, whatever phase is given", async () => {
      const { store } = subject;
      const delivery = await accepted(store);
      const ending = { outcome: "cancelled", reason: "by-user", message: "Cancelled." } as const;
      expect(await store.save(delivery, { phase: "ready", ending, events: [{ kind: "warning", message: "w" }] })).toBe(
        true,
      );
      const done = await reread(store, delivery);
      expect(done).toMatchObject({ phase: "done", ...ending });
      expect(await kindsOf(store, delivery)).toEqual(["received", "warning", "done"]);
      expect(await store.save(done, { phase: "ready" })).toBe(false);
      expect(await store.claimLane(LEASE)).toBeUndefined();
    });

    it("remembers the last healthy delivery of a target", async () => {
      const { store } = subject;
      const delivery = await following(store);
      const before = (await store.targetStates([delivery.targetId])).get(delivery.targetId)!;
      await store.save(delivery, { phase: "done", ending: { outcome: "healthy", message: "Runs." } });
      const after = (await store.targetStates([delivery.targetId])).get(delivery.targetId)!;
      expect(after.lastHealthyDeliveryId).toBe(delivery.id);
      expect(after.version).toBeGreaterThan(before.version);
      expect(await reread(store, delivery)).not.toHaveProperty("reason", expect.anything());
    });

    it("does not move a delivery that is being written", async () => {
      const { store } = subject;
      const delivery = await ready(store);
      const claim = await claimLane(store);
      await store.beginAttempt(await attemptFor(store, claim, [delivery]));
      const writing = await reread(store, delivery);
      expect(writing.phase).toBe("writing");
      const ending = { outcome: "cancelled", reason: "by-user", message: "Cancelled." } as const;
      expect(await store.save(writing, { phase: "done", ending })).toBe(false);
      expect(await store.save(writing, { phase: "ready" })).toBe(false);
      expect(await reread(store, delivery)).toEqual(writing);
    });

    it.each(["writing", "done"] as const)("refuses to save phase %s as such", async (phase) => {
      const delivery = await accepted(subject.store);
      await expect(subject.store.save(delivery, { phase })).rejects.toMatchObject({ code: "internal" });
    });

    it("lists what is undone and unwritten at a target, oldest first, with the builds", async () => {
      const { store } = subject;
      await following(store);
      const first = await ready(store);
      const second = await accepted(store);
      await accepted(store, { targetId: "checkout/other" });
      await accepted(store, { ending: { outcome: "superseded", message: "Older." } });
      const pending = await store.pending("checkout/dev");
      expect(pending.map(({ delivery }) => delivery.id)).toEqual([first.id, second.id]);
      expect(pending.map(({ build }) => build.id)).toEqual([first.buildId, second.buildId]);
    });

    it("brings forward only deliveries that follow the Application", async () => {
      const { store } = subject;
      const delivery = await following(store);
      await store.save(delivery, { phase: "following", observation: observation("mine"), dueInMs: 60_000 });
      await store.expedite({ cluster: "main", namespace: "argocd", name: "another" });
      expect(await store.claim(["following"], 9, LEASE)).toEqual([]);
      await store.expedite({ cluster: "main", namespace: "argocd", name: "mine" });
      expect(await store.claim(["following"], 9, LEASE)).toHaveLength(1);
    });

    it("does not forget an expedition that came while the delivery was claimed", async () => {
      const { store } = subject;
      await following(store);
      const [claimed] = await store.claim(["following"], 1, LEASE);
      await store.expedite({ cluster: "main", namespace: "argocd", name: "checkout-dev" });
      expect(await store.claim(["following"], 1, OTHER_LEASE)).toEqual([]);
      expect(await store.save(claimed!, { phase: "following", dueInMs: 60_000 })).toBe(true);
      const [again] = await store.claim(["following"], 1, LEASE);
      expect(again?.id).toBe(claimed!.id);
      await store.save(again!, { phase: "following", dueInMs: 60_000 });
      expect(await store.claim(["following"], 1, LEASE)).toEqual([]);
    });

    it("keeps by what a delivery was proven, through changes that say nothing of it", async () => {
      const { store } = subject;
      const delivery = await accepted(store);
      const digest = `sha256:${"d".repeat(64)}` as const;
      const evidence = {
        what: "signature",
        where: "a tag",
        signer: "key a",
        counts: true,
        says: "of \u0000 it",
      } as const;
      const images = [{ repository: "r.example.com/a", digest, signers: ["key a"], evidence: [evidence] }];
      await store.save(delivery, { phase: "ready", trust: { policies: ["first"], at: 1_000, images } });
      await store.save(await reread(store, delivery), { phase: "ready", message: "waits" });
      const kept = (await reread(store, delivery)).trust;
      expect(kept).toMatchObject({ policies: ["first"], at: 1_000, images: [{ digest, signers: ["key a"] }] });
    });

    it("keeps the observation as it was saved", async () => {
      const { store } = subject;
      const delivery = await following(store);
      const seen = {
        ...observation(),
        pushedAt: delivery.observation!.pushedAt,
        verdict: { state: "rolling", message: "m", evidence: [] },
      } as const;
      await store.save(delivery, { phase: "following", observation: structuredClone(seen) as never });
      expect((await reread(store, delivery)).observation).toEqual(seen);
    });

    it("has a clock that does not go back", async () => {
      const { store, other } = subject;
      const first = await store.now();
      expect(await other.now()).toBeGreaterThanOrEqual(first);
    });
  });
}
