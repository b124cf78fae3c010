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

const atLeast = (count: number, ...states: VerdictState[]): Verdict =>
  combineVerdicts(
    states.map((state): Verdict => ({ state, message: state, evidence: [] })),
    count,
  );

test("so many healthy as are asked for are enough", () => {
  expect(atLeast(2, "healthy", "rolling", "healthy")).toMatchObject({
    state: "healthy",
    message: "2 of 3 Applications run it and are healthy",
  });
  expect(atLeast(2, "healthy", "rolling", "candidate").state).toBe("rolling");
  expect(atLeast(1, "failed", "failed", "healthy").state).toBe("healthy");
});

test("it fails when so many cannot become healthy any more, not before", () => {
  expect(atLeast(2, "failed", "healthy", "rolling").state).toBe("rolling");
  expect(atLeast(2, "failed", "failed", "healthy").state).toBe("failed");
  expect(atLeast(1, "failed", "failed").state).toBe("failed");
});

test("less Applications than are asked for are blocked, also when all are healthy", () => {
  expect(atLeast(2, "healthy")).toMatchObject({
    state: "blocked",
    reason: "no-application",
    message: "only 1 of the 2 Applications that have to be healthy are known to render it",
  });
});

test("one healthy Application keeps its own words and evidence", () => {
  const verdict: Verdict = { state: "healthy", message: "runs", evidence: [{ field: "a", value: "b", rule: "c" }] };
  expect(combineVerdicts([verdict])).toBe(verdict);
});
