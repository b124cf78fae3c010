import type { ApplicationSnapshot, Inspection } from "../model/application.ts";
import { baselineOf } from "../model/baseline.ts";
import type { JudgeInput, Judgement } from "../model/judgement.ts";
import type { Baseline, Verdict, VerdictMemory } from "../model/observation.ts";
import { isLater } from "./application-index.ts";
import { judge } from "./verdict.ts";

export interface ReplayEvent {
  /** Milliseconds, when the watch brought it. */
  at: number;
  snapshot: ApplicationSnapshot;
}

export interface ReplayInput
  extends Pick<JudgeInput, "commit" | "repositoryUrl" | "branch" | "paths" | "images" | "revisions" | "settings"> {
  /** In the order in which they came; those before the push make the baseline unless it is given. */
  events: readonly ReplayEvent[];
  pushedAt: number;
  baseline?: Baseline;
  /** From then on the branch does not contain the commit. */
  lostAt?: number;
  /** Looks no more often than this; what arrives between is judged in order at the next look. */
  lookEveryMs?: number;
  /** How long the last snapshot stands after it came. */
  tailMs: number;
  /** What could be inspected at a time. */
  inspect?: (at: number) => Omit<Inspection, "kind">;
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
  /** When the last of them came. */
  since: number;
  /** `reconciledAt` of the last refresh that was answered. */
  answeredAt?: string;
  answerDue: number;
}

/**
 * Judges recorded versions of one Application on a virtual clock, looking when one arrives and when the judge wants to
 * look again, until a final verdict or the end of the tail; returns every change of the verdict.
 *
 * A recording cannot answer the refreshes that the judge asks for, so the driver does as Argo CD would: the state that
 * is recorded at that time stays, with a later `reconciledAt`; one that is later already stays as it is. Where the
 * recorded state itself shows that nobody compares (a refresh that stays, a comparison older than the last operation)
 * there is no answer. The tail stands in for what was not recorded any more: it is never what makes a time-out.
 */
export function replay(input: ReplayInput): ReplayStep[] {
  const before = input.events.findLast(({ at }) => at <= input.pushedAt)?.snapshot;
  const standing = before ?? input.events[0]?.snapshot;
  if (standing === undefined) return [];
  const events = input.events.filter(({ at }) => at > input.pushedAt);
  const since = input.events.find(({ snapshot }) => snapshot === standing)?.at ?? input.pushedAt;
  const world: World = { arrived: [], standing, since, answerDue: NEVER };
  const lastAt = events.at(-1)?.at ?? input.pushedAt;
  const baseline = input.baseline ?? (before === undefined ? undefined : baselineOf(before));
  const judged = judging(input, { baseline, lastAt });
  let now = before === undefined ? (events[0]?.at ?? input.pushedAt) : input.pushedAt;
  while (now <= lastAt + input.tailMs) {
    take(world, events, now);
    const judgement = judged.look(world, now);
    if (FINAL.has(judgement.verdict.state)) break;
    if (judgement.refresh) world.answerDue = Math.min(world.answerDue, now + REFRESH_ANSWER_MS);
    const next = Math.min(events[0]?.at ?? NEVER, world.answerDue, now + judgement.lookAgainMs);
    now = Math.max(next, now + (input.lookEveryMs ?? 0));
    if (world.answerDue <= now) answer(world, now);
  }
  return judged.steps;
}

/** What has come by now, but for versions older than what came before them. */
function take(world: World, events: ReplayEvent[], now: number): void {
  while (events[0] !== undefined && events[0].at <= now) {
    const [{ at, snapshot } = events[0]] = events.splice(0, 1);
    const last = world.arrived.at(-1) ?? world.standing;
    const isOlder = snapshot.uid === last.uid && !isLater(snapshot.resourceVersion, last.resourceVersion);
    if (isOlder && snapshot.resourceVersion !== last.resourceVersion) continue;
    world.arrived.push(snapshot);
    world.since = at;
  }
}

function judging(input: ReplayInput, { baseline, lastAt }: { baseline: Baseline | undefined; lastAt: number }) {
  const steps: ReplayStep[] = [];
  let memory: VerdictMemory = {};
  const one = (snapshot: ApplicationSnapshot, world: World, at: number): Judgement => {
    const timeoutMs = at > lastAt ? NEVER : input.settings.timeoutMs;
    const question: JudgeInput = {
      ...input,
      settings: { ...input.settings, timeoutMs },
      snapshot: { ...snapshot, ...laterOf(snapshot.reconciledAt, world.answeredAt) },
      lost: input.lostAt !== undefined && input.lostAt <= at,
      baseline,
      memory,
      now: at,
    };
    let judgement = judge(question);
    const { inspect: kind } = judgement;
    if (kind !== undefined) judgement = judge({ ...question, inspection: { kind, ...input.inspect?.(at) } });
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

/** In whole seconds of Argo CD's clock, as it stamps them: its last time that is known, and what has passed since. */
function answer(world: World, now: number): void {
  world.answerDue = NEVER;
  const { reconciledAt, operation, annotations, healthSince } = world.arrived.at(-1) ?? world.standing;
  const compared = Date.parse(reconciledAt ?? "");
  const finished = Date.parse(operation?.finishedAt ?? "");
  if (Number.isNaN(compared) || compared < finished) return;
  if (annotations.refresh !== undefined || annotations.skipReconcile) return;
  const known = Math.max(compared, ...[Date.parse(healthSince ?? "")].filter((time) => !Number.isNaN(time)));
  const seconds = Math.floor((known + Math.max(now - world.since, 1_000)) / 1_000);
  const answered = new Date(seconds * 1_000).toISOString().replace(".000Z", "Z");
  world.answeredAt = laterOf(answered, world.answeredAt).reconciledAt ?? answered;
}

function laterOf(a: string | undefined, b: string | undefined): { reconciledAt?: string } {
  const later = a === undefined || (b !== undefined && Date.parse(a) < Date.parse(b)) ? b : a;
  return a === undefined || later === undefined ? {} : { reconciledAt: later };
}
