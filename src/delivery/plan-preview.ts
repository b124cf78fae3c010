import type { Clock } from "../model/ambient.ts";
import { applicationsAt, formatApplicationRef } from "../model/application.ts";
import type { Artifact, BuildReport, Run, Source } from "../model/build.ts";
import type { ImageValue } from "../model/delivery.ts";
import { unifiedDiff } from "../model/diff.ts";
import { type ErrorCode, GitspanError, isTransient, messageOf } from "../model/errors.ts";
import type { Oid } from "../model/git.ts";
import { laneOf, type Target } from "../model/target.ts";
import { commitMessage } from "./message.ts";
import { candidatePaths, placeImages } from "./places.ts";
import { editRefusal, isAbsent } from "./plan.ts";
import type { ArgoCd, GitRepository, Match, Settings } from "./ports.ts";

export interface PreviewDeps {
  settings: () => Settings;
  repository: (name: string) => GitRepository | undefined;
  argocd: Pick<ArgoCd, "find">;
  clock: Clock;
  /** How long to wait for an Argo CD that is not heard of yet, milliseconds. */
  patienceMs: number;
}

export interface PreviewRequest {
  artifacts: Artifact[];
  /** Absent: not known yet; rules about it are not looked at. */
  source?: Source;
  run?: Run;
  /** Ids of the only targets to look at. */
  targets?: readonly string[];
  /** Whether the caller may know of it. */
  sees: (target: Target) => boolean;
}

/** What a delivery would do to one target. */
export interface TargetPreview {
  target: string;
  repository: string;
  branch: string;
  /** The commit on which it was worked out. */
  base: Oid;
  /** What `diff -u` prints, file after file; "": everything stands already. */
  diff: string;
  /** Of the commit; absent when there would be none. */
  message?: string;
  warnings: string[];
  /** Why it would not be written. */
  refusal?: { code: ErrorCode; message: string; hint?: string };
  /** The Applications that render it, as `cluster/namespace/name`; absent when they could not be asked for. */
  applications?: string[];
  applicationsUnknown?: string;
}

export interface Preview {
  targets: TargetPreview[];
  /** Why apps that nearly matched did not, and targets that take none of the images. */
  misses: string[];
}

const NOT_GIVEN: Source = { repository: "(not given)", commit: "(not given)" };
const ASK_AGAIN_MS = 100;

/**
 * Works out what a build would change, on the branches as they are now, and writes nothing. Order, holds, pins and
 * permission are not looked at: they are for the moment of writing. Rejects when a repository cannot be read.
 */
export async function previewPlan(deps: PreviewDeps, request: PreviewRequest, signal: AbortSignal): Promise<Preview> {
  const { artifacts, source, targets: wanted } = request;
  const report: Pick<BuildReport, "artifacts"> & { source?: Source } = { artifacts };
  if (source !== undefined) report.source = source;
  const { matches, misses } = deps.settings().match(report);
  const seen = matches.filter(({ target }) => request.sees(target) && (wanted?.includes(target.id) ?? true));
  const found = new Set(seen.map(({ target }) => target.id));
  const unmet = (wanted ?? [])
    .filter((id) => !found.has(id))
    .map((id) => `${id}: there is no such target, or it takes none of these images`);

  const lanes = new Map<string, Lane>();
  const targets: TargetPreview[] = [];
  for (const match of seen) {
    const lane = await openLane(deps, lanes, match.target, signal);
    const preview = await previewTarget(lane, request, match, signal);
    if (preview !== undefined) targets.push({ ...preview, ...(await applicationsOf(deps, match.target, signal)) });
  }
  return { targets, misses: [...misses, ...unmet] };
}

/** A branch as it is, with what the targets before would have written. */
interface Lane {
  git: GitRepository;
  base: Oid;
  files: Map<string, Uint8Array>;
  known: Set<string>;
}

async function openLane(
  deps: PreviewDeps,
  lanes: Map<string, Lane>,
  target: Target,
  signal: AbortSignal,
): Promise<Lane> {
  const { id } = laneOf(target);
  const open = lanes.get(id);
  if (open !== undefined) return open;
  const git = deps.repository(target.repository);
  if (git === undefined) throw new GitspanError("internal", `repository ${target.repository} is not open`);
  const lane = { git, base: await git.tip(target.branch, signal), files: new Map(), known: new Set<string>() };
  lanes.set(id, lane);
  return lane;
}

/** Undefined for what is only in the pattern, not in the repository. */
async function previewTarget(
  lane: Lane,
  request: PreviewRequest,
  { target, images }: Match,
  signal: AbortSignal,
): Promise<TargetPreview | undefined> {
  const { id, repository, branch } = target;
  const result: TargetPreview = { target: id, repository, branch, base: lane.base, diff: "", warnings: [] };
  try {
    const missing = candidatePaths(target).filter((path) => !lane.known.has(path));
    for (const [path, bytes] of await lane.git.readFiles(lane.base, missing, signal)) lane.files.set(path, bytes);
    for (const path of missing) lane.known.add(path);
    if (isAbsent(target, lane.files)) return undefined;
    const { files, warnings } = placeImages(target, images, lane.files);
    result.warnings = warnings;
    for (const [path, bytes] of files) {
      result.diff += unifiedDiff(path, textOf(lane.files.get(path)), textOf(bytes));
      lane.files.set(path, bytes);
    }
    return files.size === 0 ? result : { ...result, message: messageFor(request, target, images) };
  } catch (error) {
    const refused = editRefusal(error);
    if (refused === undefined) throw error;
    const { code, message, hint } = refused;
    return { ...result, refusal: { code, message, ...(hint === undefined ? {} : { hint }) } };
  }
}

function messageFor({ source = NOT_GIVEN, run }: PreviewRequest, target: Target, images: ImageValue[]): string {
  const { app, environment, id } = target;
  const delivery = { id: "(given when it is delivered)", app, environment, targetId: id, images };
  return commitMessage(delivery, run === undefined ? { source } : { source, run });
}

async function applicationsOf(
  deps: PreviewDeps,
  target: Target,
  signal: AbortSignal,
): Promise<Pick<TargetPreview, "applications" | "applicationsUnknown">> {
  if (target.applications !== undefined) return { applications: target.applications.map(formatApplicationRef) };
  const repositoryUrl = deps.settings().repository(target.repository)?.url ?? "";
  const wanted = { repositoryUrl, branch: target.branch, paths: candidatePaths(target) };
  const end = deps.clock.now() + deps.patienceMs;
  for (;;) {
    try {
      const found = applicationsAt(await deps.argocd.find(wanted), wanted.paths);
      return { applications: found.map(formatApplicationRef) };
    } catch (error) {
      signal.throwIfAborted();
      if (!isTransient(error) || deps.clock.now() >= end) return { applicationsUnknown: messageOf(error) };
      await deps.clock.sleep(ASK_AGAIN_MS, signal);
    }
  }
}

function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
