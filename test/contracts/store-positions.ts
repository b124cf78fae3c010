import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MakeStore, StoreSubject } from "./store-samples.ts";

export function positionContract(name: string, makeSubject: MakeStore): void {
  describe(`${name}: positions of the intake`, () => {
    let subject: StoreSubject;
    beforeEach(async () => {
      subject = await makeSubject();
    });
    afterEach(() => subject.close());

    it("begin now, and stay at that when they are asked for again", async () => {
      const { store, other } = subject;
      const now = await store.now();
      const begun = await store.intakePosition("tekton/main");
      expect(begun.first).toBe(begun.reached);
      expect(Math.abs(begun.first - now)).toBeLessThan(60_000);
      expect(await other.intakePosition("tekton/main", 1_000)).toEqual(begun);
    });

    it("begin at a given time when they are not known yet", async () => {
      expect(await subject.store.intakePosition("tekton/main", 1_700_000_000_123)).toEqual({
        first: 1_700_000_000_123,
        reached: 1_700_000_000_123,
      });
    });

    it("go on, never back, each for itself", async () => {
      const { store, other } = subject;
      await store.intakePosition("a", 1_000);
      await store.intakePosition("b", 1_000);
      await store.intakeReached("a", 5_000);
      await other.intakeReached("a", 3_000);
      await other.intakeReached("nobody", 9_000);
      expect(await store.intakePosition("a")).toEqual({ first: 1_000, reached: 5_000 });
      expect(await store.intakePosition("b")).toEqual({ first: 1_000, reached: 1_000 });
    });

    it("begin once when two look at the same time", async () => {
      const { store, other } = subject;
      const [one, two] = await Promise.all([store.intakePosition("race"), other.intakePosition("race")]);
      expect(one).toEqual(two);
    });
  });
}
