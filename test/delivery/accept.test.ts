import { describe, expect, it } from "vitest";
import { type AcceptRequest, accept } from "../../src/delivery/accept.ts";
import type { BuildReport } from "../../src/model/build.ts";
import { aBuild } from "../fakes/examples.ts";
import { makeHouse, never, targetOf } from "./house.ts";

const caller = { subject: "token:ci", groups: [] };
const { id: _id, subject: _subject, groups: _groups, createdAt: _at, ...report } = aBuild();

function twoEnvironments() {
  const prod = targetOf("checkout", { id: "checkout/prod", environment: "prod" });
  const house = makeHouse({ targets: [targetOf("checkout"), prod] });
  return {
    ...house,
    accept: (request: AcceptRequest) => accept({ ...house.deps, store: house.store }, request, never),
  };
}

describe("accept", () => {
  it("stores a build with one delivery for each target it is for", async () => {
    const house = twoEnvironments();
    const { kind, build, deliveries } = await house.accept({ report, caller });
    expect(kind).toBe("accepted");
    expect(build).toMatchObject({ subject: "token:ci", source: report.source });
    expect(deliveries.map(({ targetId, phase }) => [targetId, phase])).toEqual([
      ["checkout/staging", "received"],
      ["checkout/prod", "received"],
    ]);
  });

  it("says why no target takes a build", async () => {
    const house = twoEnvironments();
    const why = "app checkout wants branch main, the build is from refs/heads/test";
    house.use({ match: () => ({ matches: [], misses: [why] }) });
    await expect(house.accept({ report, caller })).rejects.toMatchObject({
      code: "no-target",
      message: `no target for registry.example.com/shop/checkout: ${why}`,
    });
  });

  it("says that no app has the image when none nearly matched", async () => {
    const stranger: BuildReport = { ...report, artifacts: [{ name: "x", repository: "r.example.com/x", tag: "1" }] };
    await expect(twoEnvironments().accept({ report: stranger, caller })).rejects.toMatchObject({
      code: "no-target",
      message: "no target for r.example.com/x: no app of the configuration has one of these images",
    });
  });

  it("stores nothing for a caller who may deliver to none of the targets", async () => {
    const house = twoEnvironments();
    house.use({ allows: () => false });
    await expect(house.accept({ report, caller })).rejects.toMatchObject({
      code: "forbidden",
      message: "token:ci may not deliver to checkout/staging, checkout/prod",
    });
    expect((await house.store.deliveries({ limit: 10 })).items).toEqual([]);
  });

  it("keeps a refused delivery in the history beside those that are allowed", async () => {
    const house = twoEnvironments();
    house.use({ allows: (_caller, { environment }) => environment === "staging" });
    const { deliveries } = await house.accept({ report, caller });
    expect(deliveries[0]).toMatchObject({ targetId: "checkout/staging", phase: "received" });
    expect(deliveries[1]).toMatchObject({
      targetId: "checkout/prod",
      phase: "done",
      outcome: "rejected",
      reason: "forbidden",
      message: "token:ci may not deliver checkout to prod",
    });
    expect(await house.eventsOf(deliveries[1]!)).toEqual(["received", "done"]);
  });

  it("gives the stored build when the same run is reported again", async () => {
    const house = twoEnvironments();
    const first = await house.accept({ report, caller });
    const again = await house.accept({ report, caller });
    expect(again).toEqual({ ...first, kind: "repeat" });
  });

  it("refuses an idempotency key that came with another body", async () => {
    const house = twoEnvironments();
    await house.accept({ report, caller, idempotency: { key: "k", bodyHash: "one" } });
    expect(await house.accept({ report, caller, idempotency: { key: "k", bodyHash: "one" } })).toMatchObject({
      kind: "repeat",
    });
    await expect(house.accept({ report, caller, idempotency: { key: "k", bodyHash: "two" } })).rejects.toMatchObject({
      code: "idempotency-mismatch",
    });
  });
});
