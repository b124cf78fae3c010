import { isRecord, list, record, text, texts, type Untrusted } from "../kubernetes/untrusted.ts";
import type { PodState } from "../model/application.ts";
import { baselineOf } from "../model/baseline.ts";
import { GitspanError } from "../model/errors.ts";
import type { JudgeSettings } from "../model/observation.ts";
import { type ExplainInput, explain, TAIL_MS } from "./explain.ts";
import { inspectionOfTree, podsOf } from "./inspection.ts";
import type { ReplayEvent, ReplayStep } from "./replay.ts";
import { toSnapshot } from "./snapshot.ts";

/** A question as it comes in: JSON that somebody else wrote. */
export interface RawQuestion {
  /** `{t, application}` each; `t` is a time as text, or a number of milliseconds. */
  snapshots: unknown;
  commit: unknown;
  /** Newest first. */
  history?: unknown;
  images?: unknown;
  pods?: unknown;
  baseline?: unknown;
  pushedAt?: unknown;
}

export interface ExplainOptions {
  settings: JudgeSettings;
  /** The last snapshot does not stand any longer than it was recorded. */
  noTail?: boolean;
}

/** A verdict and when it was reached, in the form of the question's times. */
export interface Explained extends Pick<ReplayStep, "verdict"> {
  at: string | number;
}

/** Every change of the verdict. Throws `bad-request` for a question that is none. */
export function explainRaw(question: RawQuestion, options: ExplainOptions): Explained[] {
  const asText = list(question.snapshots).some((item) => typeof record(item)["t"] === "string");
  const at = (ms: number) => (asText ? new Date(ms).toISOString() : ms);
  const input = inputOf(question, options);
  return explain(input).map((step) => ({ at: at(step.at), verdict: step.verdict }));
}

function inputOf(question: RawQuestion, { settings, noTail }: ExplainOptions): ExplainInput {
  const commit = text(question.commit);
  if (commit === "") throw bad("commit must be a text");
  const images = record(question.images);
  const history = historyOf(question.history);
  const input: ExplainInput = {
    events: eventsOf(question.snapshots),
    commit,
    history,
    images: { new: texts(images["new"]), old: Array.isArray(images["old"]) ? texts(images["old"]) : undefined },
    settings,
    tailMs: noTail === true ? 0 : TAIL_MS,
  };
  if (question.pods !== undefined && question.pods !== null) input.inspect = inspecting(question.pods);
  if (isRecord(question.baseline)) input.baseline = baselineOf(toSnapshot("", question.baseline));
  if (question.pushedAt !== undefined && question.pushedAt !== null) input.pushedAt = timeOf(question.pushedAt);
  return input;
}

function eventsOf(value: unknown): ReplayEvent[] {
  if (!Array.isArray(value) || value.length === 0) throw bad("snapshots must be a list with at least one Application");
  return value
    .map((item, index) => {
      const snapshot = record(item);
      const application = snapshot["application"] ?? snapshot["object"];
      if (!isRecord(application)) throw bad(`snapshots[${index}].application must be an Application`);
      const read = toSnapshot("", application);
      // Made-up Applications may have none.
      const resourceVersion = read.resourceVersion || String(index + 1);
      return { at: timeOf(snapshot["t"] ?? 0), snapshot: { ...read, resourceVersion } };
    })
    .toSorted((a, b) => a.at - b.at);
}

/** Commit ids, or objects with one; an empty list tells nothing. */
function historyOf(value: unknown): string[] | undefined {
  const commits = list(value)
    .map((item) => (isRecord(item) ? text(item["commit"] ?? item["sha"]) : text(item)))
    .filter((sha) => sha !== "");
  return commits.length === 0 ? undefined : commits;
}

/** Pods as they stand, or what happened to them: each with a time, and type DELETED when it goes. */
function inspecting(value: unknown): NonNullable<ExplainInput["inspect"]> {
  const events = list(value).map((item) => record(item));
  if (events.length > 0 && events.every((event) => event["t"] !== undefined))
    return (at) => ({ pods: podsAt(events, at) });
  const isTree = Array.isArray(record(value)["nodes"]);
  const inspection = isTree ? inspectionOfTree(value) : { pods: podsOf(value) };
  return () => inspection;
}

function podsAt(events: readonly Untrusted[], now: number): PodState[] {
  const pods = new Map<string, PodState>();
  for (const event of events) {
    if (timeOf(event["t"]) > now) continue;
    const several = event["pods"];
    if (several !== undefined) {
      pods.clear();
      for (const pod of podsOf(several)) pods.set(pod.name, pod);
    }
    for (const pod of podsOf(event["object"] ?? event["pod"] ?? event)) {
      if (event["type"] === "DELETED") pods.delete(pod.name);
      else pods.set(pod.name, pod);
    }
  }
  return [...pods.values()];
}

function timeOf(value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  if (Number.isFinite(time)) return time;
  throw bad("t must be a time such as 2026-01-31T12:00:00Z, or a number of milliseconds");
}

function bad(message: string): GitspanError {
  return new GitspanError("bad-request", message);
}
