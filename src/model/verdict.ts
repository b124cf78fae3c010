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
 * What the verdicts of all Applications of a delivery mean together: healthy when all are, or as many as are asked for;
 * failed when that cannot be any more; superseded when any is, otherwise the least advanced one. No Application proves
 * nothing, and less than are asked for prove too little: blocked(no-application).
 */
export function combineVerdicts(verdicts: readonly Verdict[], atLeast = verdicts.length): Verdict {
  const [first] = verdicts;
  if (first === undefined || verdicts.length < atLeast) return missing(verdicts.length, atLeast);
  const healthy = verdicts.filter(({ state }) => state === "healthy");
  if (healthy.length >= atLeast) return allHealthy(healthy, verdicts.length);
  const failed = verdicts.filter(({ state }) => state === "failed");
  if (failed[0] !== undefined && verdicts.length - failed.length < atLeast) return failed[0];
  const superseded = verdicts.find(({ state }) => state === "superseded");
  if (superseded !== undefined) return superseded;
  for (const state of LEAST_ADVANCED) {
    const found = verdicts.find((verdict) => verdict.state === state);
    if (found !== undefined) return found;
  }
  return first;
}

function missing(found: number, atLeast: number): Verdict {
  const message =
    found === 0
      ? "no Argo CD Application renders the files of this commit"
      : `only ${found} of the ${atLeast} Applications that have to be healthy are known to render it`;
  const evidence = [
    { field: "spec.source", value: found === 0 ? "none" : String(found), rule: "sources that contain the files" },
  ];
  return { state: "blocked", reason: "no-application", message, evidence };
}

function allHealthy(healthy: readonly Verdict[], of: number): Verdict {
  const [only] = healthy;
  if (only !== undefined && of === 1) return only;
  const which = healthy.length === of ? `all ${of}` : `${healthy.length} of ${of}`;
  return {
    state: "healthy",
    message: `${which} Applications run it and are healthy`,
    evidence: healthy.flatMap(({ evidence }) => evidence),
  };
}
