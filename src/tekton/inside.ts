import { isRecord, list, record, text, type Untrusted } from "../kubernetes/untrusted.ts";
import type { Clock } from "../model/ambient.ts";
import type { Artifact, BuildReport } from "../model/build.ts";
import type { BuildTasks } from "../model/build-tasks.ts";
import { type RefusalReason, Refused } from "../model/refusal.ts";
import type { TektonApi } from "./api.ts";
import { artifactsOf } from "./artifacts.ts";
import type { TaskCaller } from "./caller.ts";
import { childrenOf, ownerOf, uidOf } from "./owner.ts";
import { makeReport } from "./report.ts";
import { isFinished, readRun, type TektonRun } from "./run.ts";
import { pullRequestOf, sourceOf } from "./source.ts";

/** What a task says of its own run: it is compared, never believed. */
export interface RunClaim {
  run?: { namespace: string; name: string; uid: string };
  images?: readonly Omit<Artifact, "name">[];
}

export interface InsideDeps {
  api: TektonApi;
  clock: Clock;
  buildTasks: () => BuildTasks;
}

/** One TaskRun of the run, as it is now. */
interface Child {
  task: string;
  run: TektonRun;
}

const MAX_CHILDREN = 200;

/**
 * What a run has built, for its own last task: the run is not at its end, so its TaskRuns are read instead of its results.
 * Errors: `Refused` with `forbidden`, `run-not-ready` or `run-refused`, and those of the API server.
 */
export async function reportFromInside(
  deps: InsideDeps,
  input: { cluster: string; runUrl: string | undefined; caller: TaskCaller; claim: RunClaim },
  signal: AbortSignal,
): Promise<BuildReport> {
  const { caller, claim, cluster, runUrl } = input;
  const run = caller.run;
  if (run === undefined) {
    throw new Refused("forbidden", {
      reason: "not-of-the-run",
      message: "the task is not part of a PipelineRun, and cannot report what it has not finished itself",
    });
  }
  const { uid, name, namespace } = claim.run ?? run;
  if (uid !== run.uid || name !== run.name || namespace !== run.namespace) {
    throw new Refused("forbidden", {
      reason: "another-run",
      message: "the token is not of the run that the body names",
      detail: `the task of ${run.namespace}/${run.name} names another run`,
    });
  }
  const object = await deps.api.read({ kind: "PipelineRun", ...run }, signal);
  if (object === undefined || uidOf(object) !== run.uid) {
    throw refused("not-of-the-run", "the run is not there any more");
  }
  const pipelineRun = readRun("PipelineRun", object);
  refuseRun(pipelineRun);
  const others = await othersOf(deps.api, { object, caller, run }, signal);
  const built = builtBy(deps.buildTasks(), { object, others, own: caller.taskRun });
  const taken = takenFrom(deps.buildTasks(), built);
  const artifacts = [...new Map(taken.map(({ artifact }) => [keyOf(artifact), artifact])).values()];
  const from = sourceOf(pipelineRun, {
    builds: built.map((child) => child.run),
    others: others.filter(({ run: { state } }) => state === "succeeded").map((child) => child.run),
  });
  if ("problem" in from) throw refused("no-source", from.problem);
  for (const image of claim.images ?? []) refuseForeign(image, artifacts);
  const taskUids = [...new Set(taken.map(({ uid }) => uid))];
  const now = deps.clock.now();
  return makeReport(pipelineRun, { artifacts, source: from.source, taskUids, cluster, runUrl, now });
}

function refuseRun(run: TektonRun): void {
  const where = `${run.namespace}/${run.name}`;
  if (hasFailed(run)) throw refused("run-failed", `the run ${where} has not succeeded: ${run.state}`);
  if (run.parent !== undefined) throw refused("unfinished", `the run is a part of ${run.parent}, whose end counts`);
  const pullRequest = pullRequestOf(run);
  if (pullRequest !== undefined) throw refused("pull-request", `the run is for pull request ${pullRequest}`);
}

function hasFailed({ state }: TektonRun): boolean {
  return isFinished(state) && state !== "succeeded";
}

/**
 * Every other task of the run, none of them failed or, beside those of `finally`, still going on: an image may be built
 * while its tests fail.
 */
async function othersOf(
  api: TektonApi,
  input: { object: Untrusted; caller: TaskCaller; run: NonNullable<TaskCaller["run"]> },
  signal: AbortSignal,
): Promise<Child[]> {
  const { object, caller, run } = input;
  const listed = childrenOf(object).filter(({ name }) => name !== caller.taskRun);
  if (listed.length > MAX_CHILDREN) throw refused("unfinished", `the run has more than ${MAX_CHILDREN} tasks`);
  const children = await Promise.all(
    listed.map(async ({ name, task }): Promise<Child> => {
      const found = await api.read({ kind: "TaskRun", namespace: run.namespace, name }, signal);
      if (found === undefined || ownerOf(found, "PipelineRun")?.uid !== run.uid) {
        throw refused("not-of-the-run", `the TaskRun ${name} of task ${task} is not there any more`);
      }
      return { task, run: readRun("TaskRun", found) };
    }),
  );
  const spec = specOf(object);
  const tolerated = new Set(spec.tasks.filter((task) => task["onError"] === "continue").map(nameOf));
  const last = new Set(spec.finally.map(nameOf));
  const failed = children.find(({ task, run }) => hasFailed(run) && !tolerated.has(task));
  if (failed !== undefined)
    throw refused("run-failed", `the task ${failed.task} has not succeeded: ${failed.run.state}`);
  const going = children.find(({ task, run }) => !isFinished(run.state) && !last.has(task));
  if (going !== undefined) throw notReady(`the task ${going.task} is still going on`);
  return children;
}

/** The tasks that build, of which none may be missing: half a run must not be delivered as if it were all. */
function builtBy(buildTasks: BuildTasks, input: { object: Untrusted; others: readonly Child[]; own: string }): Child[] {
  const { object, others, own } = input;
  const builds = others.filter(({ task, run }) => buildTasks.names.has(task) && run.state === "succeeded");
  const ownTask = childrenOf(object).find(({ name }) => name === own)?.task ?? "";
  const skipped = new Set(list(record(object["status"])["skippedTasks"]).map((task) => nameOf(record(task))));
  const missing = specOf(object)
    .tasks.map(nameOf)
    .filter((task) => buildTasks.names.has(task) && !skipped.has(task))
    .find((task) => !builds.some((build) => build.task === task));
  if (buildTasks.names.has(ownTask)) throw refused("unfinished", `the task ${ownTask} cannot report itself`);
  if (missing !== undefined) throw notReady(`the task ${missing} has not succeeded`);
  if (builds.length > 0) return builds;
  throw refused("no-image", `the run has no task ${[...buildTasks.names].slice(0, 5).join(" or ")}`, {
    hint: "Name the task that builds the image in apps.<name>.buildTask.",
  });
}

/** The images that apps take from these tasks, each with the TaskRun that made it. */
function takenFrom(buildTasks: BuildTasks, builds: readonly Child[]): { artifact: Artifact; uid: string }[] {
  const found = builds.flatMap(({ task, run }) => {
    const images = artifactsOf(run.results);
    if ("problem" in images) throw refused("no-image", `task ${task}: ${images.problem}`);
    return images.artifacts.map((artifact) => ({ artifact, task, uid: run.uid }));
  });
  const taken = found.filter(({ artifact, task }) => buildTasks.takes(artifact.repository, task));
  if (taken.length > 0) return taken;
  const [first] = found;
  throw refused("no-image", `no app takes ${first?.artifact.repository ?? "an image"} from task ${first?.task ?? ""}`);
}

function refuseForeign(claimed: Omit<Artifact, "name">, artifacts: readonly Artifact[]): void {
  const same = artifacts.some(
    ({ repository, tag, digest }) =>
      repository === claimed.repository && (claimed.tag ?? tag) === tag && (claimed.digest ?? digest) === digest,
  );
  if (!same) throw refused("another-image", `the run has not built ${keyOf(claimed)}`);
}

function keyOf({ repository, tag, digest }: Omit<Artifact, "name">): string {
  return `${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** The pipeline as the controller resolved it. */
function specOf(object: Untrusted): { tasks: Untrusted[]; finally: Untrusted[] } {
  const status = record(object["status"]);
  const resolved = status["pipelineSpec"];
  const spec = isRecord(resolved) ? resolved : record(record(object["spec"])["pipelineSpec"]);
  return { tasks: list(spec["tasks"]).map(record), finally: list(spec["finally"]).map(record) };
}

function nameOf(task: Untrusted): string {
  return text(task["name"]);
}

function notReady(message: string): Refused {
  return new Refused("run-not-ready", { reason: "unfinished", message, hint: "Send it again in a few seconds." });
}

function refused(reason: RefusalReason, message: string, options: { hint?: string } = {}): Refused {
  return new Refused("run-refused", { reason, message, ...options });
}
