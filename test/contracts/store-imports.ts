import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ImportedTarget } from "../../src/model/import.ts";
import {
  claimLane,
  digestOf,
  following,
  kindsOf,
  LANE,
  LEASE,
  type MakeStore,
  nextId,
  observation,
  ready,
  reread,
  type Store,
  type StoreSubject,
} from "./store-samples.ts";

export function importContract(name: string, makeSubject: MakeStore): void {
  describe(`${name}: what a branch tells`, () => {
    let subject: StoreSubject;
    beforeEach(async () => {
      subject = await makeSubject();
    });
    afterEach(() => subject.close());

    const stateOf = async (store: Store, id: string) => (await store.targetStates([id])).get(id)!;
    const delivery = (letter: string) => ({
      id: nextId("imported"),
      kind: "build" as const,
      commit: letter.repeat(40),
      images: [{ name: "checkout", repository: "registry.test/checkout", tag: "0.9", digest: digestOf(letter) }],
      observation: { ...observation(), pushedAt: 1_700_000_000_000 + letter.charCodeAt(0), applications: [] },
      build: {
        id: nextId("build"),
        report: { artifacts: [], source: { repository: "https://git.test/checkout", commit: letter.repeat(40) } },
      },
    });

    async function inputFor(store: Store): Promise<ImportedTarget> {
      const [newest, older] = [delivery("b"), delivery("a")];
      const targetId = "checkout/dev";
      return {
        targetId,
        targetVersion: (await stateOf(store, targetId)).version,
        app: "checkout",
        environment: "dev",
        lane: LANE,
        deliveries: [newest, older],
        overridden: { kind: "reverted", commit: "e".repeat(40) },
        pin: { by: "git", why: "Somebody reverted it." },
        holds: [{ id: nextId("hold"), targetId, digest: digestOf("b"), buildId: newest.build.id, by: "git", why: "w" }],
      };
    }

    it("is stored at once: deliveries that are over, what stands, the pin and the holds", async () => {
      const { store, other } = subject;
      const waiting = await ready(store);
      const claim = await claimLane(store);
      const input = await inputFor(store);
      expect(await store.imported(claim, input)).toBe(true);
      const [newest, older] = input.deliveries;
      const written = await other.written(input.targetId, 10);
      expect(written.map((one) => one.delivery.id)).toEqual([newest!.id, older!.id]);
      expect(written[0]).toMatchObject({
        delivery: { phase: "done", outcome: "cancelled", reason: "closed", commit: newest!.commit },
        build: { id: newest!.build.id, subject: "git", ...newest!.build.report },
      });
      const state = await stateOf(other, input.targetId);
      expect(state).toMatchObject({
        current: { delivery: { id: newest!.id } },
        overridden: input.overridden,
        pinned: input.pin,
        version: input.targetVersion + 1,
      });
      expect(await other.holds([input.targetId])).toMatchObject([{ build: { id: newest!.build.id } }]);
      expect(await kindsOf(store, newest!)).toEqual(["imported", "done"]);
      expect((await reread(store, waiting)).phase).toBe("ready");
    });

    it("is not stored over what is known, for a target that has changed, or without the lane", async () => {
      const { store } = subject;
      await following(store);
      await ready(store);
      const claim = await claimLane(store);
      expect(await store.imported(claim, await inputFor(store))).toBe(false);
      const input = { ...(await inputFor(store)), targetId: "checkout/prod" };
      await store.releaseLane(claim);
      await ready(store, { targetId: "checkout/prod" });
      const again = await claimLane(store);
      expect(await store.imported(again, { ...input, targetVersion: 99 })).toBe(false);
      await subject.advance(LEASE.ms);
      const { version: targetVersion } = await stateOf(store, "checkout/prod");
      expect(await store.imported(again, { ...input, targetVersion })).toBe(false);
      expect(await store.written("checkout/prod", 10)).toEqual([]);
    });

    it("leaves a delivery that is known as it is", async () => {
      const { store } = subject;
      const known = await ready(store);
      const claim = await claimLane(store);
      const input = await inputFor(store);
      const [newest, older] = input.deliveries;
      await store.imported(claim, { ...input, deliveries: [newest!, { ...older!, id: known.id }] });
      expect(await reread(store, known)).toEqual(known);
    });
  });
}
