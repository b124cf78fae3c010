import type { JudgeInput, Judgement } from "../model/judgement.ts";
import type { VerdictMemory } from "../model/observation.ts";
import { judgeAfter } from "./verdict/after-applied.ts";
import { judgeBefore } from "./verdict/before-applied.ts";
import { crashed, crashing } from "./verdict/crashing.ts";
import { type Draft, type Look, lookAt, reasonedVerdict } from "./verdict/look.ts";

const LONGEST_REST_MS = 30_000;
const SHORTEST_REST_MS = 50;

/**
 * What one snapshot of an Application proves about our commit (docs: research rules as tested against recordings of a
 * real Argo CD, test/golden/argocd). Pure; all time is `now`, Argo CD's own times are compared only with each other.
 * Feed it every snapshot in order, each with the memory of the one before; the same snapshot may come again later.
 */
export function judge(input: JudgeInput): Judgement {
  const look = lookAt(input);
  const draft = timedOut(look, crashing(look, judgeBefore(look) ?? judgeAfter(look)));
  return {
    verdict: draft.verdict,
    memory: definedOnly(look.memory),
    refresh: draft.refresh ?? false,
    ...(draft.inspect === undefined || input.inspection !== undefined ? {} : { inspect: draft.inspect }),
    lookAgainMs: restOf(look, draft),
  };
}

/** Time spent blocked or paused, or without anybody to ask, does not count; a candidate may settle. */
function timedOut(look: Look, draft: Draft): Draft {
  const { input, before, memory, now } = look;
  const { verdict } = draft;
  // Not decided before it was inspected.
  if (draft.inspect !== undefined && input.inspection === undefined) return draft;
  const stands = verdict.state === "blocked" || verdict.state === "paused" || draft.stopsClock === true;
  memory.blockedSince = stands ? (before.blockedSince ?? now) : undefined;
  if (!stands && before.blockedSince !== undefined) {
    memory.blockedMs = (before.blockedMs ?? 0) + now - before.blockedSince;
  }
  if (stands || ["healthy", "candidate", "superseded", "failed"].includes(verdict.state)) return draft;
  const spentMs = spent(look);
  if (spentMs <= input.settings.timeoutMs) return draft;
  if (memory.fellSince !== undefined)
    return { ...draft, verdict: crashed(look, memory.flaps ?? 1), inspect: undefined };
  const message = `not healthy after ${Math.round(spentMs / 1_000)} s: ${verdict.message}`;
  return { ...draft, verdict: reasonedVerdict("failed", "timed-out", message, verdict.evidence), inspect: undefined };
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
