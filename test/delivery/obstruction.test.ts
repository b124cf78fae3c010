import { expect, it } from "vitest";
import { observe } from "../../src/delivery/observe.ts";
import type { ApplicationOperation } from "../../src/model/application.ts";
import { makeHouse, never } from "./house.ts";
import { applicationRef } from "./scripted-argocd.ts";

const ref = applicationRef("checkout");

/** A rollback of B that has landed, while Argo CD runs an operation. */
async function blocked(revisionOf: "bad" | "rollback", over: Partial<ApplicationOperation> = {}) {
  const house = makeHouse();
  await house.healthy({ tag: "1.1" });
  const bad = await house.written({ tag: "1.2" });
  const rollback = await house.rolledBack();
  const revision = (revisionOf === "bad" ? bad : rollback).commit!;
  const operation: ApplicationOperation = {
    phase: "Running",
    message: "waiting for completion of hook",
    startedAt: "2026-01-02T03:04:05Z",
    retryCount: 0,
    revisions: [],
    requestedRevisions: [revision],
    partial: false,
    dryRun: false,
    images: [],
    ...over,
  };
  house.argocd.says(ref, { state: "pushed" }, { operation, revisions: [bad.commit!] });
  const look = async () => observe(house.deps, await house.reread(rollback), never);
  return { house, rollback, look };
}

it("stops an operation of the bad version that blocks the rollback for 30 s, once", async () => {
  const { house, rollback, look } = await blocked("bad");
  await look();
  await house.wait(29_000);
  await look();
  expect(house.argocd.terminated).toEqual([]);
  await house.wait(2_000);
  await look();
  await look();
  expect(house.argocd.terminated).toEqual(["checkout"]);
  expect((await house.eventsOf(rollback)).filter((kind) => kind === "operation-terminated")).toHaveLength(1);
});

it.each([
  ["of the rollback itself", "rollback" as const, {}],
  ["that is over", "bad" as const, { phase: "Failed" }],
  ["that names nothing", "bad" as const, { requestedRevisions: [] }],
])("leaves an operation alone %s", async (_name, revisionOf, over) => {
  const { house, look } = await blocked(revisionOf, over);
  await house.wait(60_000);
  await look();
  expect(house.argocd.terminated).toEqual([]);
});

it("says once when it may not be stopped", async () => {
  const { house, rollback, look } = await blocked("bad");
  house.argocd.terminateFails = true;
  await house.wait(60_000);
  await look();
  await look();
  const warnings = (await house.store.events(rollback.id)).filter(({ kind }) => kind === "warning");
  expect(warnings.map(({ message }) => message)).toEqual([
    "the running operation of argocd/checkout blocks the rollback and could not be stopped: may not sync applications",
  ]);
});

it("stops nothing for a build", async () => {
  const { house } = await blocked("bad");
  const build = await house.written({ tag: "1.3" });
  await house.wait(60_000);
  await observe(house.deps, await house.reread(build), never);
  expect(house.argocd.terminated).toEqual([]);
});
