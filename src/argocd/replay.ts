import type { ApplicationSnapshot } from "../model/application.ts";
import type { JudgeInput, Judgement } from "../model/judgement.ts";
import type { Baseline, Verdict, VerdictMemory } from "../model/observation.ts";
import { judge } from "./verdict.ts";

export interface ReplayEvent {
  /** Milliseconds, when the watch brought it. */
  at: number;
  snapshot: ApplicationSnapshot;
}

export interface ReplayInput
  extends Pick<JudgeInput, "commit" | "repositoryUrl" | "branch" | "paths" | "images" | "revisions" | "settings"> {
  /** In order; those before the push make the baseline. */
  events: readonly ReplayEvent[];
  pushedAt: number;
  /** From then on the branch does not contain the commit. */
  lostAt?: number;
  /** Looks no more often than this; what arrives between is judged in order at the next look. */
  lookEveryMs?: number;
  /** How long after the push it goes on, the last snapshot standing. */
  horizonMs: number;
}

export interface ReplayStep {
  at: number;
  verdict: Verdict;
}

/** How long Argo CD takes to answer a refresh here; 24 to 66 ms were recorded. */
const REFRESH_ANSWER_MS = 60;
const NEVER = Number.POSITIVE_INFINITY;
const FINAL: ReadonlySet<string> = new Set(["healthy", "failed", "superseded"]);

interface World {
  /** Arrived since the last look; then the one that stands. */
  arrived: ApplicationSnapshot[];
  standing: ApplicationSnapshot;
  /** `reconciledAt` of the last refresh that was answered. */
  answeredAt?: string;
  answerDue: number;
}

/**
 * Judges recorded versions of one Application on a virtual clock, looking when one arrives and when the judge wants to
 * look again, until a final verdict; returns every change of the verdict.
 *
 * A recording cannot answer the refreshes that the judge asks for, so the driver does as Argo CD would: the state that
 * is recorded at that time stays, with a later `reconciledAt`; one that is later already stays as it is.
 */
export function replay(input: ReplayInput): ReplayStep[] {
  const standing = input.events.findLast(({ at }) => at <= input.pushedAt)?.snapshot;
  if (standing === undefined) return [];
  const events = input.events.filter(({ at }) => at > input.pushedAt);
  const world: World = { arrived: [], standing, answerDue: NEVER };
  const judged = judging(input, standing);
  let now = input.pushedAt;
  while (now <= input.pushedAt + input.horizonMs) {
    const judgement = judged.look(world, now);
    if (FINAL.has(judgement.verdict.state)) break;
    if (judgement.refresh) world.answerDue = Math.min(world.answerDue, now + REFRESH_ANSWER_MS);
    const next = Math.min(events[0]?.at ?? NEVER, world.answerDue, now + judgement.lookAgainMs);
    now = Math.max(next, now + (input.lookEveryMs ?? 0));
    if (world.answerDue <= now) answer(world, now);
    while (events[0] !== undefined && events[0].at <= now) world.arrived.push(...events.splice(0, 1).map(snapshotOf));
  }
  return judged.steps;
}

function judging(input: ReplayInput, start: ApplicationSnapshot) {
  const steps: ReplayStep[] = [];
  let memory: VerdictMemory = {};
  const one = (snapshot: ApplicationSnapshot, world: World, at: number): Judgement => {
    const judgement = judge({
      ...input,
      snapshot: { ...snapshot, reconciledAt: laterOf(snapshot.reconciledAt, world.answeredAt) },
      lost: input.lostAt !== undefined && input.lostAt <= at,
      baseline: baselineOf(start),
      memory,
      now: at,
    });
    ({ memory } = judgement);
    const { verdict } = judgement;
    const last = steps.at(-1)?.verdict;
    if (last?.state !== verdict.state || last.reason !== verdict.reason) steps.push({ at, verdict });
    return judgement;
  };
  const look = (world: World, now: number): Judgement => {
    let judgement: Judgement | undefined;
    for (const snapshot of world.arrived.splice(0)) {
      world.standing = snapshot;
      judgement = one(snapshot, world, now);
      if (FINAL.has(judgement.verdict.state)) return judgement;
    }
    return judgement ?? one(world.standing, world, now);
  };
  return { steps, look };
}

function snapshotOf(event: ReplayEvent): ApplicationSnapshot {
  return event.snapshot;
}

function baselineOf(start: ApplicationSnapshot): Baseline {
  return {
    health: start.health,
    conditions: start.conditions.map(({ type }) => type),
    summaryImages: start.summaryImages,
    degraded: [],
    ...(start.operation?.finishedAt === undefined ? {} : { finishedAt: start.operation.finishedAt }),
  };
}

/** Whole seconds, as Argo CD stamps them at the start of a comparison. */
function answer(world: World, now: number): void {
  world.answeredAt = new Date(Math.floor(now / 1_000) * 1_000).toISOString().replace(".000Z", "Z");
  world.answerDue = NEVER;
}

function laterOf(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Date.parse(a) >= Date.parse(b) ? a : b;
}
