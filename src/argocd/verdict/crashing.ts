import type { Verdict } from "../../model/observation.ts";
import { type Draft, fellUnseen, healthEvidence, type Look, reasonedVerdict } from "./look.ts";
import { brokenPod } from "./pods.ts";

/** An autoscaler may move a healthy Application once or twice; a container that dies again and again does it more. */
const CRASHING_FLAPS = 3;
/** Twice fallen and not ready again for so long: the pauses between restarts grow to minutes. */
const DOWN_FLAPS = 2;
const DOWN_MS = 120_000;

/**
 * A candidate that falls back although nobody has synced anything, three times within its settling time, or twice and
 * does not get up again. The Pods, where they can be read, tell it sooner.
 */
export function crashing(look: Look, draft: Draft): Draft {
  const { before, memory, now } = look;
  if (fell(look)) {
    memory.flaps = (before.flaps ?? 0) + 1;
    memory.fellSince = now;
  }
  if (memory.candidateSince !== undefined) memory.fellSince = undefined;
  const flaps = memory.flaps ?? 0;
  if (flaps === 0 || draft.verdict.state === "failed" || draft.verdict.state === "superseded") return draft;
  if (flaps >= CRASHING_FLAPS) return { ...draft, verdict: crashed(look, flaps), inspect: undefined };
  if (memory.fellSince === undefined || draft.verdict.state !== "rolling") return draft;
  const downMs = now - memory.fellSince;
  if (downMs > 0 && (brokenPod(look) !== undefined || (flaps >= DOWN_FLAPS && downMs >= DOWN_MS))) {
    return { ...draft, verdict: crashed(look, flaps), inspect: undefined };
  }
  const againMs = flaps >= DOWN_FLAPS ? DOWN_MS - downMs : undefined;
  return {
    ...draft,
    ...(againMs === undefined ? {} : { againMs: Math.min(againMs, draft.againMs ?? againMs) }),
    inspect: "workloads",
  };
}

export function crashed(look: Look, flaps: number): Verdict {
  const times = flaps === 1 ? "" : ` ${flaps} times`;
  const pod = brokenPod(look);
  const evidence = [healthEvidence(look, "again not healthy"), ...(pod === undefined ? [] : [pod])];
  return reasonedVerdict("failed", "crashing", `became ready and fell back${times}: it is crashing`, evidence);
}

/** It was ready, and is not, or was not in between, without a new operation. */
function fell(look: Look): boolean {
  const { before, memory, snapshot, reading } = look;
  if (before.candidateSince === undefined || snapshot.operationRequested || reading.covers !== "yes") return false;
  if ((snapshot.operation?.startedAt ?? "") !== before.candidateOperation) return false;
  if (memory.candidateSince === undefined) return ["Progressing", "Degraded", "Missing"].includes(snapshot.health);
  return fellUnseen(look);
}
