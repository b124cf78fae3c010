import { readFileSync } from "node:fs";
import { array, assert, constantFrom, dictionary, jsonValue, letrec, oneof, property } from "fast-check";
import { expect, test } from "vitest";
import { toSnapshot } from "../../src/argocd/snapshot.ts";
import { linesOf, scenarios } from "./recordings.ts";

const golden = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`../golden/argocd/${path}`, import.meta.url), "utf8"));

test("every recorded version is read, in about a kilobyte", () => {
  let largest = 0;
  for (const scenario of scenarios) {
    for (const { name, object } of linesOf(scenario)) {
      const snapshot = toSnapshot("main", object);
      expect(snapshot.ref).toEqual({ cluster: "main", namespace: "argocd", name });
      expect(snapshot.sources.length).toBeGreaterThan(0);
      expect(snapshot.reconciledAt).toMatch(/^2026-/);
      largest = Math.max(largest, JSON.stringify(snapshot).length);
    }
  }
  expect(largest).toBeLessThan(3_000);
});

test("an Application that never rendered is Unknown, Healthy, at the branch's name and without an operation", () => {
  const snapshot = toSnapshot("main", golden("sample-first-manifest-error.json"));
  expect(snapshot).toMatchObject({ sync: "Unknown", health: "Healthy", revisions: ["main"] });
  expect(snapshot.operation).toBeUndefined();
  expect(snapshot.conditions[0]?.type).toBe("ComparisonError");
});

test("REST gives the health of resources, which the watch does not", () => {
  const snapshot = toSnapshot("main", golden("rest/get-crash.json"));
  expect(snapshot.resources).toMatchObject([{ kind: "Deployment", sync: "Synced", health: "Degraded" }]);
});

test("several sources have several revisions, a self-heal is partial, a dry run says so", () => {
  const last = (scenario: string, app: string) =>
    toSnapshot("main", linesOf(scenario).findLast(({ name }) => name === app)?.object);
  expect(last("o", "multi-dev")).toMatchObject({ multiSource: true, operation: { partial: false } });
  expect(last("o", "multi-dev").revisions).toHaveLength(2);
  expect(last("o", "multi-dev").sources[1]?.ref).toBe("values");
  expect(last("t", "web-dev").operation).toMatchObject({ partial: true, phase: "Succeeded" });
  const dry = { status: { operationState: { operation: { sync: { dryRun: true } } } } };
  expect(toSnapshot("main", dry).operation?.dryRun).toBe(true);
});

test("automatic sync can be switched off in two ways", () => {
  const automated = (policy: object): boolean => toSnapshot("main", { spec: { syncPolicy: policy } }).automated;
  expect(automated({})).toBe(false);
  expect(automated({ automated: {} })).toBe(true);
  expect(automated({ automated: { enabled: false } })).toBe(false);
});

test("any JSON is read without an exception, and what is missing is empty", () => {
  expect(toSnapshot("main", null)).toMatchObject({ sync: "", health: "", revisions: [], sources: [], conditions: [] });
  const names = ["metadata", "spec", "status", "sync", "revision", "revisions", "sources", "source", "operationState"];
  const keys = constantFrom(
    ...names,
    "conditions",
    "resources",
    "summary",
    "images",
    "syncResult",
    "annotations",
    "helm",
  );
  const { odd } = letrec((tie) => ({
    odd: oneof({ maxDepth: 5 }, jsonValue(), dictionary(keys, tie("odd")), array(tie("odd"))),
  }));
  assert(
    property(odd, (value) => {
      const snapshot = toSnapshot("main", value);
      expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
    }),
  );
});

test("an endless message is cut", () => {
  const conditions = [{ type: "ComparisonError", message: "x".repeat(1_000_000) }];
  expect(toSnapshot("main", { status: { conditions } }).conditions[0]?.message.length).toBeLessThanOrEqual(1_000);
});
