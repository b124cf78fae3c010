/**
 * What the application needs of the world beside its store (`store-ports.ts`). Real adapters live in `git/` and
 * `argocd/`; fakes in `test/fakes/` pass the same contract suites. Every method may reject with a GitspanError;
 * `transient` says whether waiting helps.
 */
import type { Caller, Permission } from "../model/access.ts";
import type { RefusedApplication } from "../model/annotated.ts";
import type { ApplicationRef, ApplicationSnapshot, Inspection, InspectionKind } from "../model/application.ts";
import type { Build, BuildReport } from "../model/build.ts";
import type { ImageValue, Rollback } from "../model/delivery.ts";
import type { CommitInfo, CommitPlan, CommitRange, Identity, Oid, PreparedPush, PushResult } from "../model/git.ts";
import type { Digest } from "../model/image.ts";
import type { JudgeInput, Judgement } from "../model/judgement.ts";
import type { Relation } from "../model/order.ts";
import type { Target } from "../model/target.ts";
import type { TrustDecision, TrustQuestion } from "../model/trust.ts";

// ---------------------------------------------------------------- git

/** One GitOps repository. Object ids verify content, so everything read by id may be cached for ever. */
export interface GitRepository {
  /** The branch's commit now. */
  tip(branch: string, signal: AbortSignal): Promise<Oid>;
  /** Files at a commit; a path that is not there has no entry. */
  readFiles(commit: Oid, paths: readonly string[], signal: AbortSignal): Promise<Map<string, Uint8Array>>;
  /**
   * Paths of the files in each folder and below it, "" being the root; [] for a folder that is not there, no entry for
   * one with more than 5,000.
   */
  listFiles(commit: Oid, folders: readonly string[], signal: AbortSignal): Promise<Map<string, string[]>>;
  /** Those of `paths` whose content or mode differs; equal subtrees are not descended. */
  changedPaths(from: Oid, to: Oid, paths: readonly string[], signal: AbortSignal): Promise<string[]>;
  /** Commits of `tip` that `base` lacks. */
  range(base: Oid, tip: Oid, signal: AbortSignal): Promise<CommitRange>;
  /** The commit and its ancestors without their trees, newest first, 1000 generations at most. */
  history(tip: Oid, signal: AbortSignal): Promise<CommitInfo[]>;
  /** Whether `ancestor` is in the history of `commit` (or is it). */
  isAncestor(ancestor: Oid, commit: Oid, signal: AbortSignal): Promise<boolean>;
  /** The newest commit of `tip`'s first-parent history that changed one of the paths; undefined beyond the limit. */
  lastChange(tip: Oid, paths: readonly string[], signal: AbortSignal): Promise<CommitInfo | undefined>;
  /** Builds chained commits on `base` in memory; sends nothing. */
  prepare(branch: string, base: Oid, plans: readonly CommitPlan[], signal: AbortSignal): Promise<PreparedPush>;
  /** One compare-and-swap of the branch. Never forces; never throws for what the server answers. */
  push(prepared: PreparedPush, signal: AbortSignal): Promise<PushResult>;
}

/** How source commits are ordered; the adapter may need the source repository. */
export interface SourceHistory {
  relation(a: Build, b: Build, signal: AbortSignal): Promise<Relation>;
}

// ---------------------------------------------------------------- Argo CD

export interface ArgoCd {
  /** For each of these files of the repository and branch the Applications that render it. */
  find(wanted: {
    repositoryUrl: string;
    branch: string;
    paths: readonly string[];
  }): Promise<ReadonlyMap<string, readonly ApplicationRef[]>>;
  /** Applications that ask to be targets, in the order of their names; rejects while one of the Argo CDs is not known yet. */
  annotated(): Promise<ApplicationSnapshot[]>;
  /** What was seen of the Application since `afterVersion`, oldest first, ending with its state now; [] when it is gone. */
  snapshots(ref: ApplicationRef, afterVersion: string | undefined): Promise<ApplicationSnapshot[]>;
  /** Asks Argo CD to compare again. Resolves when the request is made, not when it is done. */
  refresh(ref: ApplicationRef, signal: AbortSignal): Promise<void>;
  /** What the Application itself does not tell, as far as it can be read; rejects only when aborted. */
  inspect(ref: ApplicationRef, kind: InspectionKind, signal: AbortSignal): Promise<Inspection>;
  /** Stops the operation that runs. Rejects with `argocd-forbidden` where that cannot be asked for. */
  terminate(ref: ApplicationRef, signal: AbortSignal): Promise<void>;
  /** How many Applications there are, and which of them have turned Degraded within so long, by Argo CD's own clock. */
  sick(cluster: string, withinMs: number): Promise<{ total: number; degraded: ApplicationRef[] }>;
  /** What the snapshot proves; pure. */
  judge(input: JudgeInput): Judgement;
}

// ---------------------------------------------------------------- trust

/** What image registries, and the signatures in them, say of images. */
export interface Trust {
  /** Whether the image's registry is configured; of others nothing can be said. */
  covers(repository: string): boolean;
  /** The digest that a tag names now; undefined when there is no such tag. */
  digestOf(image: { repository: string; tag: string }, signal: AbortSignal): Promise<Digest | undefined>;
  /** Why the image is not there, as a sentence; undefined when it is. */
  absenceOf(image: { repository: string; digest: Digest }, signal: AbortSignal): Promise<string | undefined>;
  /** What is proven of the image now: what is not yet may be later. */
  decide(question: TrustQuestion, signal: AbortSignal): Promise<TrustDecision>;
}

// ---------------------------------------------------------------- configuration

export interface Match {
  target: Target;
  images: ImageValue[];
}

/** The configuration in force; a reload swaps the whole object. */
export interface Settings {
  /** Of the resolved configuration: stored with every attempt. */
  hash: string;
  /** Those that the configuration or an annotated Application has one by one; patterns make more of the builds that come in. */
  targets(): readonly Target[];
  target(id: string): Target | undefined;
  /** Why nobody can say yet whether there is a target of this id; undefined when `target` tells. */
  undecided(id: string): string | undefined;
  /** Annotated Applications that are no targets, with the reason. */
  refused(): readonly RefusedApplication[];
  repository(name: string): { url: string; author: Identity } | undefined;
  /**
   * The targets that a build is for; `misses` says why apps that nearly matched did not. Without a source, no rule about
   * it counts. Throws the transient `targets-unknown` when it may be for one that is not known yet.
   */
  match(report: Pick<BuildReport, "artifacts"> & Partial<Pick<BuildReport, "source">>): {
    matches: Match[];
    misses: string[];
  };
  allows(caller: Caller, permission: Permission): boolean;
}

// ---------------------------------------------------------------- telling people

export type EventOutcome = "accepted" | "repeat" | "ignored" | "refused" | "unavailable";

/** Counts and durations; implementations must not throw. */
export interface Metrics {
  buildAccepted(result: "accepted" | "repeat"): void;
  /** Seconds that one run of a stage took. */
  stage(stage: "accept" | "verify" | "write" | "observe", seconds: number): void;
  push(result: PushResult["kind"]): void;
  /** Seconds from the landing of a delivery's commit to its outcome `healthy`. */
  commitToHealthy(seconds: number): void;
  rollback(trigger: Rollback["trigger"], result: "begun" | "braked" | "impossible"): void;
  /** What was decided of one delivery's images, each time that it was looked at. */
  trust(result: "proven" | "waiting" | "refused"): void;
  /** One event of a CI system; `refused` was the sender's fault, `unavailable` ours. */
  event(source: "tekton" | "tekton-watch" | "tekton-results", result: EventOutcome): void;
}

/** Structured log: messages are constants, everything that varies is a field. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}
