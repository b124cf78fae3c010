import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  accepted,
  acceptInput,
  digestOf,
  following,
  type MakeStore,
  newDelivery,
  type StoreSubject,
} from "./store-samples.ts";

export function readingContract(name: string, makeSubject: MakeStore): void {
  describe(`${name}: reading`, () => {
    let subject: StoreSubject;
    beforeEach(async () => {
      subject = await makeSubject();
    });
    afterEach(() => subject.close());

    it("knows nothing of ids that were never stored", async () => {
      const { store } = subject;
      expect(await store.build("none")).toBeUndefined();
      expect(await store.delivery("none")).toBeUndefined();
      expect(await store.events("none")).toEqual([]);
      expect(await store.targetStates([])).toEqual(new Map());
      expect(await store.holds([])).toEqual([]);
      expect(await store.pending("none")).toEqual([]);
    });

    it("pages through deliveries newest first, each exactly once", async () => {
      const { store } = subject;
      const ids: string[] = [];
      for (let i = 0; i < 3; i++) ids.push((await accepted(store)).id);
      const sameMoment = [newDelivery({ targetId: "checkout/a" }), newDelivery({ targetId: "checkout/b" })];
      await store.accept(acceptInput({ deliveries: sameMoment }));
      ids.push(...sameMoment.map(({ id }) => id));
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.deliveries({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.next;
      } while (cursor !== undefined);
      expect(seen).toEqual(ids.reverse());
    });

    it("gives no next page when the last one is exactly full", async () => {
      const { store } = subject;
      await accepted(store);
      await accepted(store);
      expect(await store.deliveries({ limit: 2 })).not.toHaveProperty("next");
    });

    it.each([
      "",
      "nonsense",
      "bm9uc2Vuc2U",
      Buffer.from("[]").toString("base64url"),
      Buffer.from('["x",1]').toString("base64url"),
    ])("refuses the cursor %j as a bad request", async (cursor) => {
      await expect(subject.store.deliveries({ limit: 2, cursor })).rejects.toMatchObject({ code: "bad-request" });
    });

    it("filters by every property, alone and together", async () => {
      const { store } = subject;
      const images = [{ name: "pay", repository: "registry.test/pay", tag: "2.0.0", digest: digestOf("e") }];
      const wanted = await accepted(store, { app: "pay", environment: "prod", targetId: "pay/prod", images });
      const ending = { outcome: "rejected", reason: "held", message: "Held." } as const;
      const done = await accepted(store, { ending });
      const written = await following(store);
      const found = async (filter: object): Promise<string[]> =>
        (await store.deliveries({ limit: 10, ...filter })).items.map(({ id }) => id);
      expect(await found({ app: "pay" })).toEqual([wanted.id]);
      expect(await found({ environment: "prod" })).toEqual([wanted.id]);
      expect(await found({ outcome: "rejected" })).toEqual([done.id]);
      expect(await found({ phase: "following" })).toEqual([written.id]);
      expect(await found({ commit: written.commit })).toEqual([written.id]);
      expect(await found({ buildId: wanted.buildId })).toEqual([wanted.id]);
      for (const image of ["registry.test/pay", "2.0.0", digestOf("e")])
        expect(await found({ image })).toEqual([wanted.id]);
      expect(await found({ image: "pay" })).toEqual([]);
      expect(await found({ app: "pay", environment: "prod", image: "2.0.0", phase: "received" })).toEqual([wanted.id]);
      expect(await found({ app: "pay", environment: "dev" })).toEqual([]);
    });

    it("wakes a waiter of another process when something changes", async () => {
      const { store, other } = subject;
      const wake = { isDone: false };
      const waiting = other.waitForChange(3_600_000, AbortSignal.timeout(30_000)).finally(() => {
        wake.isDone = true;
      });
      while (!wake.isDone) await accepted(store);
      await expect(waiting).resolves.toBeUndefined();
    });

    it("ends a wait after its time, and rejects one that is aborted with the signal's reason", async () => {
      const { store } = subject;
      await store.waitForChange(1, new AbortController().signal);
      const controller = new AbortController();
      const waiting = store.waitForChange(60_000, controller.signal);
      const reason = new Error("stop");
      controller.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      await expect(store.waitForChange(60_000, controller.signal)).rejects.toBe(reason);
    });
  });
}
