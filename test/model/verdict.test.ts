import { expect, test } from "vitest";
import type { Verdict, VerdictState } from "../../src/model/observation.ts";
import { combineVerdicts } from "../../src/model/verdict.ts";

const combined = (...states: VerdictState[]): VerdictState =>
  combineVerdicts(states.map((state): Verdict => ({ state, message: state, evidence: [] }))).state;

test("no Application at all is blocked, never healthy", () => {
  expect(combineVerdicts([])).toMatchObject({ state: "blocked", reason: "no-application" });
});

test("all healthy is healthy, one that is not speaks for all", () => {
  expect(combined("healthy", "healthy")).toBe("healthy");
  expect(combined("healthy", "candidate")).toBe("candidate");
  expect(combined("candidate", "rolling", "syncing")).toBe("syncing");
  expect(combined("rolling", "blocked")).toBe("blocked");
  expect(combined("unknown", "candidate")).toBe("unknown");
});

test("any failed is failed, else any superseded is superseded", () => {
  expect(combined("healthy", "superseded", "failed")).toBe("failed");
  expect(combined("healthy", "blocked", "superseded")).toBe("superseded");
});

test("one healthy Application keeps its own words and evidence", () => {
  const verdict: Verdict = { state: "healthy", message: "runs", evidence: [{ field: "a", value: "b", rule: "c" }] };
  expect(combineVerdicts([verdict])).toBe(verdict);
});
