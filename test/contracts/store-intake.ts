import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { acceptInput, kindsOf, type MakeStore, newDelivery, nextId, type StoreSubject } from "./store-samples.ts";

export function intakeContract(name: string, makeSubject: MakeStore): void {
  describe(`${name}: intake`, () => {
    let subject: StoreSubject;
    beforeEach(async () => {
      subject = await makeSubject();
    });
    afterEach(() => subject.close());

    it("stores a build with its deliveries exactly as it was reported", async () => {
      const { store } = subject;
      const before = await store.now();
      const input = acceptInput({
        deliveries: [newDelivery(), newDelivery({ targetId: "checkout/prod", environment: "prod" })],
      });
      const result = await store.accept(input);
      expect(result).toMatchObject({
        kind: "accepted",
        build: { ...input.report, id: input.buildId, subject: "token:ci", groups: ["team"] },
      });
      if (result.kind !== "accepted") return;
      expect(result.build.createdAt).toBeGreaterThanOrEqual(before);
      expect(await store.build(input.buildId)).toEqual(result.build);
      expect(result.deliveries.map(({ id }) => id)).toEqual(input.deliveries.map(({ id }) => id));
      const [first] = result.deliveries;
      expect(first).toMatchObject({
        kind: "build",
        buildId: input.buildId,
        laneId: "gitops@main",
        phase: "received",
        version: 1,
      });
      expect(first!.expireAt).toBe(first!.createdAt + 7 * 86_400_000);
      expect(await store.delivery(first!.id)).toEqual(first);
      expect(await kindsOf(store, first!)).toEqual(["received"]);
      expect((await store.targetStates(["checkout/dev", "checkout/none"])).size).toBe(1);
    });

    it("keeps a delivery that is refused on arrival, with its outcome and both events", async () => {
      const { store } = subject;
      const ending = { outcome: "rejected", reason: "forbidden", message: "No rule allows it." } as const;
      const result = await store.accept(acceptInput({ deliveries: [newDelivery({ ending })] }));
      if (result.kind !== "accepted") throw new Error(result.kind);
      const [delivery] = result.deliveries;
      expect(delivery).toMatchObject({
        phase: "done",
        outcome: "rejected",
        reason: "forbidden",
        message: ending.message,
      });
      const events = await store.events(delivery!.id);
      expect(events.map(({ kind }) => kind)).toEqual(["received", "done"]);
      expect(events[1]).toMatchObject({ message: ending.message, data: { outcome: "rejected", reason: "forbidden" } });
      expect(await store.claim(["received", "done"], 10, { owner: "one", ms: 1_000 })).toEqual([]);
    });

    it("answers a repeat of the same run with what is stored, whoever sends it", async () => {
      const { store, other } = subject;
      const input = acceptInput();
      const first = await store.accept(input);
      const again = await other.accept({ ...acceptInput(), report: input.report, subject: "token:other" });
      expect(again).toEqual({ ...first, kind: "repeat" });
    });

    it("knows the run by its UUID, with or without the cluster's name", async () => {
      const { store } = subject;
      const input = acceptInput();
      await store.accept(input);
      const { cluster: _cluster, ...run } = input.report.run!;
      const again = acceptInput({ report: { ...input.report, run }, subject: "tekton:main/ci" });
      expect((await store.accept(again)).kind).toBe("repeat");
    });

    it("takes runs that another CI merely numbers apart by cluster, name and subject", async () => {
      const { store } = subject;
      const { report } = acceptInput();
      const run = { ...report.run!, uid: "7" };
      const reports = [run, { ...run, cluster: "second" }, { ...run, name: "run-2" }].map((one) => ({
        ...report,
        run: one,
      }));
      for (const one of reports) expect((await store.accept(acceptInput({ report: one }))).kind).toBe("accepted");
      expect((await store.accept(acceptInput({ report: reports[0]!, subject: "token:b" }))).kind).toBe("accepted");
      expect((await store.accept(acceptInput({ report: reports[0]! }))).kind).toBe("repeat");
    });

    it("knows a build without a run by its subject, source commit and artifacts in any order", async () => {
      const { store } = subject;
      const { run: _run, ...report } = acceptInput().report;
      const first = await store.accept(acceptInput({ report }));
      const reversed = { ...report, artifacts: [...report.artifacts].reverse() };
      expect(await store.accept(acceptInput({ report: reversed }))).toEqual({ ...first, kind: "repeat" });
      expect((await store.accept(acceptInput({ report, subject: "token:other" }))).kind).toBe("accepted");
      const later = { ...report, source: { ...report.source, commit: "d".repeat(40) } };
      expect((await store.accept(acceptInput({ report: later }))).kind).toBe("accepted");
    });

    it("refuses another body under a used idempotency key of the same subject only", async () => {
      const { store } = subject;
      const first = await store.accept(acceptInput({ idempotency: { key: "k", bodyHash: "1" } }));
      expect(first.kind).toBe("accepted");
      const mismatch = acceptInput({ idempotency: { key: "k", bodyHash: "2" } });
      expect(await store.accept(mismatch)).toEqual({ kind: "idempotency-mismatch" });
      expect(await store.build(mismatch.buildId)).toBeUndefined();
      expect(await store.accept(acceptInput({ idempotency: { key: "k", bodyHash: "1" } }))).toEqual({
        ...first,
        kind: "repeat",
      });
      const other = acceptInput({ subject: "token:other", idempotency: { key: "k", bodyHash: "2" } });
      expect((await store.accept(other)).kind).toBe("accepted");
    });

    it("points a new idempotency key at the build that the same run made before", async () => {
      const { store } = subject;
      const input = acceptInput();
      const first = await store.accept(input);
      const idempotency = { key: "k", bodyHash: "1" };
      expect(await store.accept({ ...acceptInput({ idempotency }), report: input.report })).toEqual({
        ...first,
        kind: "repeat",
      });
      expect(await store.accept(acceptInput({ idempotency }))).toEqual({ ...first, kind: "repeat" });
    });

    it("makes one build of many simultaneous duplicates", async () => {
      const { store, other } = subject;
      const { report } = acceptInput();
      const inputs = Array.from({ length: 20 }, (_, i) =>
        acceptInput({ report, ...(i % 2 === 0 ? {} : { idempotency: { key: "k", bodyHash: "1" } }) }),
      );
      const results = await Promise.all(inputs.map((input, i) => (i % 3 === 0 ? other : store).accept(input)));
      expect(results.map(({ kind }) => kind).filter((kind) => kind === "accepted")).toHaveLength(1);
      const builds = new Set(results.map((result) => (result.kind === "idempotency-mismatch" ? "" : result.build.id)));
      expect(builds.size).toBe(1);
      expect((await store.deliveries({ limit: 50 })).items).toHaveLength(1);
    });

    it("accepts simultaneous builds that bring the same new targets and lanes in any order", async () => {
      const { store, other } = subject;
      const targets = Array.from({ length: 6 }, () => nextId("target"));
      const inputs = Array.from({ length: 20 }, (_, i) => {
        const deliveries = targets.map((targetId) =>
          newDelivery({ targetId, lane: { id: `lane-of-${targetId}`, repository: "r", branch: targetId } }),
        );
        return acceptInput({ deliveries: i % 2 === 0 ? deliveries : deliveries.reverse() });
      });
      const results = await Promise.all(inputs.map((input, i) => (i % 3 === 0 ? other : store).accept(input)));
      expect(new Set(results.map(({ kind }) => kind))).toEqual(new Set(["accepted"]));
    });

    it("stores text that a database may not like", async () => {
      const { store } = subject;
      const input = acceptInput();
      input.report.source.subject = "half \ud800 and nul \u0000 and 'quotes' \\u0000 \u{1f680}";
      const result = await store.accept(input);
      if (result.kind !== "accepted") throw new Error(result.kind);
      expect(result.build.source.subject).toContain("'quotes' \\u0000 \u{1f680}");
    });
  });
}
