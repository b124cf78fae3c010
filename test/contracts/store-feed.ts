import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FeedEvent } from "../../src/model/reading.ts";
import { accepted, following, type MakeStore, ready, type Store, type StoreSubject } from "./store-samples.ts";

export function feedContract(name: string, makeSubject: MakeStore): void {
  describe(`${name}: the feed of events`, () => {
    let subject: StoreSubject;
    beforeEach(async () => {
      subject = await makeSubject();
    });
    afterEach(() => subject.close());

    it("is empty and begins at 0 when nothing has happened", async () => {
      const { store } = subject;
      expect(await store.eventsAfter(undefined, 10)).toEqual({ items: [], last: 0 });
      expect(await store.eventsAfter(0, 10)).toEqual({ items: [], last: 0 });
    });

    it("gives every event of every delivery once, in order, page by page", async () => {
      const { store } = subject;
      const first = await ready(store);
      const second = await following(store);
      const third = await accepted(store);
      const seen = await readAll(store, 0, 2);
      const wanted = (await Promise.all([first, second, third].map(({ id }) => store.events(id)))).flat();
      expect(seen.map(({ delivery: _delivery, ...event }) => event)).toEqual(wanted.toSorted((a, b) => a.id - b.id));
    });

    it("shows the delivery as it is now", async () => {
      const { store } = subject;
      const delivery = await following(store);
      const { items } = await store.eventsAfter(0, 10);
      expect(items.map((item) => item.delivery)).toEqual(items.map(() => delivery));
    });

    it("begins with what comes next", async () => {
      const { store } = subject;
      await ready(store);
      const { items, last } = await store.eventsAfter(undefined, 10);
      expect(items).toEqual([]);
      const next = await accepted(store);
      expect((await readAll(store, last, 10)).map((event) => event.deliveryId)).toEqual([next.id]);
    });

    it("begins now for an id that was never given out", async () => {
      const { store } = subject;
      await accepted(store);
      const { last } = await store.eventsAfter(undefined, 10);
      expect(await store.eventsAfter(last + 1_000_000, 10)).toEqual({ items: [], last });
    });
  });

  describe(`${name}: counting deliveries`, () => {
    let subject: StoreSubject;
    beforeEach(async () => {
      subject = await makeSubject();
    });
    afterEach(() => subject.close());

    it("counts by phase and outcome, with the age of the oldest that is not done", async () => {
      const { store, advance } = subject;
      expect(await store.countDeliveries()).toEqual([]);
      const rejected = { outcome: "rejected", reason: "held", message: "Held." } as const;
      await accepted(store, { ending: rejected });
      await accepted(store, { ending: rejected });
      await accepted(store);
      await advance(5_000);
      await accepted(store);
      await following(store);
      const counts = await store.countDeliveries();
      expect(counts.toSorted((a, b) => (a.phase < b.phase ? -1 : 1))).toEqual([
        { phase: "done", outcome: "rejected", count: 2 },
        { phase: "following", count: 1, oldestMs: expect.any(Number) },
        { phase: "received", count: 2, oldestMs: expect.any(Number) },
      ]);
      expect(counts.find(({ phase }) => phase === "received")?.oldestMs).toBeGreaterThanOrEqual(5_000);
    });
  });
}

async function readAll(store: Store, after: number, limit: number): Promise<FeedEvent[]> {
  const seen: FeedEvent[] = [];
  for (let last = after; ; ) {
    const page = await store.eventsAfter(last, limit);
    if (page.items.length === 0) return seen;
    seen.push(...page.items);
    last = page.last;
  }
}
