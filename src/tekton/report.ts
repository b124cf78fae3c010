import type { Artifact, BuildReport, Run, Source } from "../model/build.ts";
import { isWebUrl } from "../model/source-location.ts";
import { artifactsOf } from "./artifacts.ts";
import { isFinished, type RunState, type TektonRun } from "./run.ts";
import { pullRequestOf, sourceOf } from "./source.ts";

/** Why a run, or an event about one, leads to nothing. */
export type NothingReason =
  | "other-event"
  | "not-finished"
  | "failed"
  | "cancelled"
  | "timed-out"
  | "custom-run"
  | "part-of-pipeline-run"
  | "namespace-not-allowed"
  | "run-gone"
  | "uid-mismatch"
  | "pull-request"
  | "no-image"
  | "no-source";

/** `detail` is for the log: it may name what only the cluster knows. */
export interface Nothing {
  kind: "ignored";
  reason: NothingReason;
  detail: string;
}

export type RunReport = { kind: "build"; report: BuildReport } | Nothing;

/** Commit dates come from people's own machines; one further ahead would count as the newest for ever. */
const MAX_COMMIT_AHEAD_MS = 24 * 3_600_000;

/** Where and when a run is read. */
export interface RunContext {
  cluster: string;
  /** Where people look at a run, with `{namespace}`, `{name}` and `{uid}`. */
  runUrl?: string | undefined;
  /** Milliseconds. */
  now: number;
}

/** What a run has built, or why there is nothing to deliver. */
export function reportOf(run: TektonRun, input: RunContext): RunReport {
  const unsuccessful = refuseState(run.state, run.reason);
  if (unsuccessful !== undefined) return unsuccessful;
  if (run.kind === "CustomRun") return nothing("custom-run", "custom runs build nothing that is known here");
  if (run.parent !== undefined) {
    return nothing("part-of-pipeline-run", `the end of the PipelineRun ${run.parent} counts, not that of its parts`);
  }
  const pullRequest = pullRequestOf(run);
  if (pullRequest !== undefined) return nothing("pull-request", `the run is for pull request ${pullRequest}`);
  const images = artifactsOf(run.results);
  if ("problem" in images) return nothing("no-image", images.problem);
  const from = sourceOf(run);
  if ("problem" in from) return nothing("no-source", from.problem);
  return { kind: "build", report: makeReport(run, { ...input, artifacts: images.artifacts, source: from.source }) };
}

/** `taskUids` are those of the TaskRuns that made the artifacts, where these were read. */
export function makeReport(
  run: TektonRun,
  built: RunContext & { artifacts: Artifact[]; source: Source; taskUids?: string[] },
): BuildReport {
  const { artifacts, source, now } = built;
  return { artifacts, source: withoutFuture(source, now), run: runOf(run, built) };
}

/** Undefined for a run that succeeded. */
export function refuseState(state: RunState, reason: string): Nothing | undefined {
  if (state === "succeeded") return undefined;
  if (!isFinished(state)) return nothing("not-finished", `the run is ${state}`);
  const why = reason === "" ? "" : ` (${reason})`;
  if (state === "cancelled" || state === "timed-out") return nothing(state, `the run ${state}${why}`);
  return nothing("failed", `the run failed${why}`);
}

export function nothing(reason: NothingReason, detail: string): Nothing {
  return { kind: "ignored", reason, detail };
}

function runOf(tekton: TektonRun, { cluster, now, runUrl, taskUids }: RunContext & { taskUids?: string[] }): Run {
  const { kind, uid, namespace, name, finishedAt } = tekton;
  const run: Run = { kind, uid, namespace, name, cluster, ...(taskUids && { taskUids }) };
  // A cluster whose clock is ahead must not make its runs the newest for ever.
  if (finishedAt !== undefined) run.finishedAt = Math.min(finishedAt, now);
  const url = tekton.annotations["pipelinesascode.tekton.dev/log-url"] ?? urlOf(tekton, runUrl);
  if (url.length <= 2_048 && !/[\s\p{Cc}]/u.test(url) && isWebUrl(url)) run.url = url;
  return run;
}

function urlOf(run: TektonRun, template = ""): string {
  return template.replaceAll(/\{(namespace|name|uid)\}/g, (_, key: "namespace" | "name" | "uid") =>
    encodeURIComponent(run[key]),
  );
}

function withoutFuture(source: Source, now: number): Source {
  const { time, ...rest } = source;
  return time === undefined || time > now + MAX_COMMIT_AHEAD_MS ? rest : source;
}
