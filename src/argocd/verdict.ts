import type { JudgeInput, Judgement } from "../model/judgement.ts";
import type { Verdict, VerdictMemory } from "../model/observation.ts";
import { judgeAfter } from "./verdict/after-applied.ts";
import { judgeBefore } from "./verdict/before-applied.ts";
import { type Draft, healthEvidence, type Look, lookAt, reasonedVerdict } from "./verdict/look.ts";

/** An autoscaler may move a healthy Application once or twice; a container that dies again and again does it more. */
const CRASHING_FLAPS = 3;
const LONGEST_REST_MS = 30_000;
const SHORTEST_REST_MS = 50;

/**
 * What one snapshot of an Application proves about our commit (docs: research rules as tested against recordings of a
 * real Argo CD, test/golden/argocd). Pure; all time is `now`, Argo CD's own times are compared only with each other.
 * Feed it every snapshot in order, each with the memory of the one before; the same snapshot may come again later.
 */
export function judge(input: JudgeInput): Judgement {
  const look = lookAt(input);
  const draft = judgeBefore(look) ?? judgeAfter(look);
  const verdict = timedOut(look, crashing(look, draft.verdict));
  return {
    verdict,
    memory: definedOnly(look.memory),
    refresh: draft.refresh ?? false,
    lookAgainMs: restOf(look, draft),
  };
}

/** A candidate that falls back without anybody having synced anything, three times within its settling time. */
function crashing(look: Look, verdict: Verdict): Verdict {
  const { before, memory, snapshot, reading } = look;
  const fell =
    before.candidateSince !== undefined &&
    memory.candidateSince === undefined &&
    ["Progressing", "Degraded", "Missing"].includes(snapshot.health) &&
    reading.covers === "yes" &&
    !snapshot.operationRequested &&
    (snapshot.operation?.startedAt ?? "") === before.candidateOperation;
  if (fell) memory.flaps = (before.flaps ?? 0) + 1;
  if (verdict.state === "failed" || verdict.state === "superseded") return verdict;
  if ((memory.flaps ?? 0) < CRASHING_FLAPS) return verdict;
  const message = `became ready and fell back ${memory.flaps} times: it is crashing`;
  return reasonedVerdict("failed", "crashing", message, [healthEvidence(look, "again not healthy")]);
}

/** Time spent blocked or paused does not count; a candidate may settle. */
function timedOut(look: Look, verdict: Verdict): Verdict {
  const { input, before, memory, now } = look;
  const isWaiting = verdict.state === "blocked" || verdict.state === "paused";
  memory.blockedSince = isWaiting ? (before.blockedSince ?? now) : undefined;
  if (!isWaiting && before.blockedSince !== undefined) {
    memory.blockedMs = (before.blockedMs ?? 0) + now - before.blockedSince;
  }
  if (isWaiting || ["healthy", "candidate", "superseded", "failed"].includes(verdict.state)) return verdict;
  const spentMs = spent(look);
  if (spentMs <= input.settings.timeoutMs) return verdict;
  const message = `not healthy after ${Math.round(spentMs / 1_000)} s: ${verdict.message}`;
  return reasonedVerdict("failed", "timed-out", message, verdict.evidence);
}

function spent(look: Look): number {
  return look.now - look.input.pushedAt - (look.memory.blockedMs ?? 0);
}

function restOf(look: Look, draft: Draft): number {
  const untilTimeout = look.input.settings.timeoutMs - spent(look) + 1;
  const wanted = Math.min(
    LONGEST_REST_MS,
    draft.againMs ?? LONGEST_REST_MS,
    Math.max(untilTimeout, 0) || LONGEST_REST_MS,
  );
  return Math.max(SHORTEST_REST_MS, wanted);
}

/** It is stored as JSON: absent and undefined are the same there, and should be before too. */
function definedOnly(memory: VerdictMemory): VerdictMemory {
  return Object.fromEntries(Object.entries(memory).filter(([, field]) => field !== undefined));
}
