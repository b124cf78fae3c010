import type { Verdict, VerdictState } from "./observation.ts";

/** From what needs a person most to what is furthest; the first one present speaks for all. */
const LEAST_ADVANCED: readonly VerdictState[] = [
  "blocked",
  "unknown",
  "pushed",
  "observed",
  "syncing",
  "paused",
  "rolling",
  "candidate",
];

/**
 * What the verdicts of all Applications of a delivery mean together: any failed is failed, any superseded superseded,
 * all healthy healthy, otherwise the least advanced one. No Application proves nothing: blocked(no-application).
 */
export function combineVerdicts(verdicts: readonly Verdict[]): Verdict {
  const [first] = verdicts;
  if (first === undefined) {
    return {
      state: "blocked",
      reason: "no-application",
      message: "no Argo CD Application renders the files of this commit",
      evidence: [{ field: "spec.source", value: "none", rule: "no Application's source contains the files" }],
    };
  }
  const failed = verdicts.find(({ state }) => state === "failed");
  if (failed !== undefined) return failed;
  const superseded = verdicts.find(({ state }) => state === "superseded");
  if (superseded !== undefined) return superseded;
  for (const state of LEAST_ADVANCED) {
    const found = verdicts.find((verdict) => verdict.state === state);
    if (found !== undefined) return found;
  }
  if (verdicts.length === 1) return first;
  return {
    state: "healthy",
    message: `all ${verdicts.length} Applications run it and are healthy`,
    evidence: verdicts.flatMap(({ evidence }) => evidence),
  };
}
