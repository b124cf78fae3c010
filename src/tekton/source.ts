import type { Source } from "../model/build.ts";
import { isRef, isSourceRepository } from "../model/source-location.ts";
import type { TektonRun } from "./run.ts";

export type SourceReading = { source: Source } | { problem: string };

/** What one witness says of the source. */
interface Witness {
  repository?: string;
  commit?: string;
  ref?: string;
  /** Milliseconds since the epoch. */
  time?: number;
  /** Nobody below may name the branch or tag: this one would know it. */
  ownsRef?: true;
}

export const ANNOTATIONS = {
  repository: "gitspan.dev/source-repository",
  commit: "gitspan.dev/source-commit",
  ref: "gitspan.dev/source-ref",
  time: "gitspan.dev/source-time",
} as const;

const PAC = "pipelinesascode.tekton.dev/";
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;
/** What Pipelines as Code calls a push: `push`, `Push`, `Tag Push`, and a run started through `/incoming`. */
const PUSH = /^(?:tag[ _-])?push$|^incoming$/i;

/** The tasks of a run that is not at its end, which has no results of its own yet. */
export interface TaskRuns {
  /** Those that built images. */
  builds: readonly TektonRun[];
  /** All that have succeeded. */
  others: readonly TektonRun[];
}

/**
 * Where the build's source came from. Witnesses in the order of how much they can know: Pipelines as Code, which saw the
 * webhook; `gitspan.dev/source-*`, which whoever made the run wrote down; then what the run's tasks say of themselves:
 * `CHAINS-GIT_*` (parameter, then result), `*ARTIFACT_INPUTS`, and git-clone's `commit` and `url`. Each field comes from
 * the first who tells it; one who names another commit than the first is not heard at all. A pipeline's own origin
 * (`provenance.refSource`) gives the repository only when it is of that very commit. From inside a run its tasks tell
 * what the run itself cannot yet: those that built, then the one that cloned.
 */
export function sourceOf(run: TektonRun, tasks: TaskRuns = { builds: [], others: [] }): SourceReading {
  const witnesses = [
    pipelinesAsCode(run),
    annotated(run),
    chainsParams(run),
    chainsResults(run),
    inputs(run),
    clone(run),
    ...tasks.builds.flatMap((task) => [chainsParams(task), chainsResults(task), inputs(task), clone(task)]),
    onlyOne(tasks.others.map(clone)),
  ];
  const heard = witnesses.filter((witness) => witness !== undefined);
  const commit = heard.find((witness) => witness.commit !== undefined)?.commit;
  if (commit === undefined) return { problem: "the run names no source commit (40 or 64 hexadecimal digits)" };
  const agreeing = heard.filter((witness) => (witness.commit ?? commit) === commit);
  const repository =
    agreeing.find((witness) => witness.repository !== undefined)?.repository ?? ofDefinition(run, commit);
  if (repository === undefined) {
    return { problem: `the run names no source repository: annotate it with ${ANNOTATIONS.repository}` };
  }
  const source: Source = { repository, commit };
  const ref = agreeing.find((witness) => witness.ref !== undefined || witness.ownsRef === true)?.ref;
  const time = agreeing.find((witness) => witness.time !== undefined)?.time;
  if (ref !== undefined) source.ref = ref;
  if (time !== undefined) source.time = time;
  return { source };
}

/** The number of the pull request that Pipelines as Code ran this for. */
export function pullRequestOf(run: TektonRun): string | undefined {
  const number = pac(run, "pull-request");
  return number === "" || PUSH.test(pac(run, "event-type")) ? undefined : number;
}

function pipelinesAsCode(run: TektonRun): Witness | undefined {
  const commit = pac(run, "sha");
  if (commit === "") return undefined;
  // `branch` is the branch that a pull request wants to be merged into: only a push is really from it.
  // The label has no slashes left, so only the annotation tells.
  const branch = PUSH.test(pac(run, "event-type")) ? (run.annotations[`${PAC}branch`] ?? "") : "";
  const ref = branch === "" || branch.startsWith("refs/") ? branch : `refs/heads/${branch}`;
  const found = witness({ repository: pac(run, "repo-url"), commit, ref });
  return found && { ...found, ownsRef: true };
}

function annotated({ annotations }: TektonRun): Witness | undefined {
  const found = witness({
    repository: annotations[ANNOTATIONS.repository],
    commit: annotations[ANNOTATIONS.commit],
    ref: annotations[ANNOTATIONS.ref],
  });
  const time = annotations[ANNOTATIONS.time] ?? "";
  return found && TIME.test(time) && !Number.isNaN(Date.parse(time)) ? { ...found, time: Date.parse(time) } : found;
}

function chainsParams({ params }: TektonRun): Witness | undefined {
  return witness({ repository: params.get("CHAINS-GIT_URL"), commit: params.get("CHAINS-GIT_COMMIT") });
}

function chainsResults(run: TektonRun): Witness | undefined {
  return witness({ repository: string(run, "CHAINS-GIT_URL"), commit: string(run, "CHAINS-GIT_COMMIT") });
}

function inputs({ results }: TektonRun): Witness | undefined {
  const found = results.flatMap(({ name, value }) => {
    if (!name.endsWith("ARTIFACT_INPUTS") || typeof value === "string" || Array.isArray(value)) return [];
    const { uri = "", digest = "" } = value;
    if (!uri.startsWith("git+") && !digest.startsWith("sha1:")) return [];
    return witness({ repository: uri, commit: digest.replace(/^sha(?:1|256):/, "") }) ?? [];
  });
  return onlyOne(found);
}

/** Only when all of them are one and the same: which of two repositories was built, nobody can say. */
function onlyOne(witnesses: readonly (Witness | undefined)[]): Witness | undefined {
  const found = witnesses.filter((each) => each?.commit !== undefined);
  const different = new Set(found.map((each) => JSON.stringify(each)));
  return different.size === 1 ? found[0] : undefined;
}

function clone(run: TektonRun): Witness | undefined {
  const found = witness({ repository: string(run, "url"), commit: string(run, "commit") });
  // git-clone's `committer-date` is in seconds.
  const seconds = string(run, "committer-date") ?? "";
  return found && /^\d{1,11}$/.test(seconds) ? { ...found, time: Number(seconds) * 1_000 } : found;
}

function ofDefinition({ definition }: TektonRun, commit: string): string | undefined {
  return definition?.commit === commit ? repositoryOf(definition.uri) : undefined;
}

/** Undefined when nothing usable is said, or the commit is none: a witness wrong in that is not to be trusted in the rest. */
function witness(said: { repository?: string; commit?: string; ref?: string }): Witness | undefined {
  const { commit = "", ref = "" } = said;
  if (commit !== "" && !COMMIT.test(commit)) return undefined;
  const repository = repositoryOf(said.repository ?? "");
  const found: Witness = {};
  if (repository !== undefined) found.repository = repository;
  if (commit !== "") found.commit = commit;
  if (ref.length <= 255 && isPlain(ref) && isRef(ref)) found.ref = ref;
  return Object.keys(found).length === 0 ? undefined : found;
}

/** Without `git+`, and without the user name and password that cloning may have needed. */
function repositoryOf(text: string): string | undefined {
  const url = text.replace(/^git\+/, "").replace(/^(https?:\/\/)[^/@]*@/, "$1");
  return url.length <= 2_048 && isPlain(url) && isSourceRepository(url) ? url : undefined;
}

function isPlain(text: string): boolean {
  return text.isWellFormed() && !/[\s\p{Cc}\p{Cf}]/u.test(text);
}

function pac(run: TektonRun, key: string): string {
  return run.annotations[PAC + key] ?? run.labels[PAC + key] ?? "";
}

function string({ results }: TektonRun, name: string): string | undefined {
  const value = results.find((result) => result.name === name)?.value;
  return typeof value === "string" ? value : undefined;
}
