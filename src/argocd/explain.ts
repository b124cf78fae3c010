import type { Inspection } from "../model/application.ts";
import { baselineOf } from "../model/baseline.ts";
import type { Baseline, JudgeSettings, RevisionFacts } from "../model/observation.ts";
import { type ReplayEvent, type ReplayStep, replay } from "./replay.ts";
import { isOtherVersion } from "./verdict/images.ts";

/** What a person or a program asks about recorded versions of one Application. */
export interface ExplainInput {
  /** In order of time. */
  events: readonly ReplayEvent[];
  commit: string;
  /** The branch's commits, newest first; without it only the commit itself is known to contain it. */
  history: readonly string[] | undefined;
  images: { new: readonly string[]; old: readonly string[] | undefined };
  /** Without it, what is recorded first is what stood before the push, if it does not contain the commit. */
  baseline?: Baseline;
  pushedAt?: number;
  inspect?: (at: number) => Omit<Inspection, "kind">;
  settings: JudgeSettings;
  /** How long the last version stands; 0: only what is recorded is judged. */
  tailMs: number;
}

/** Longer than every rule but the time limit needs: two minutes down after having been ready twice. */
export const TAIL_MS = 180_000;

/** Every change of the verdict. */
export function explain(input: ExplainInput): ReplayStep[] {
  const { events, history } = input;
  const commit = fullNameOf(input);
  const revisions = factsOf(input, commit);
  const [first] = events;
  if (first === undefined) return [];
  const before = input.pushedAt === undefined && isBefore(first, events, revisions) ? first : undefined;
  const baseline = input.baseline ?? (before && baselineOf(before.snapshot));
  const pushedAt = input.pushedAt ?? (before === undefined ? first.at - 1 : first.at);
  const isLost = history !== undefined && !history.includes(commit);
  return replay({
    events,
    commit,
    // No file is named: every source may be the one, and a commit says whose it is.
    repositoryUrl: "",
    branch: "(branch)",
    paths: [],
    images: { new: input.images.new, old: input.images.old ?? othersIn(input, baseline) },
    revisions,
    pushedAt,
    ...(baseline === undefined ? {} : { baseline }),
    ...(isLost ? { lostAt: pushedAt } : {}),
    ...(input.inspect === undefined ? {} : { inspect: input.inspect }),
    settings: input.settings,
    tailMs: input.tailMs,
  });
}

/** The whole commit id where its beginning is given. */
function fullNameOf({ commit, history, events }: ExplainInput): string {
  if (!/^[0-9a-f]{7,39}$/.test(commit)) return commit;
  const known = history ?? events.flatMap(({ snapshot }) => snapshot.revisions);
  return known.find((sha) => sha.startsWith(commit)) ?? commit;
}

/**
 * What Git would say of the revisions, as far as history and recording tell: those that are newer than the commit cover
 * it, and hold its values until an operation shows that its manifests name another version of an image.
 */
function factsOf({ events, history, images }: ExplainInput, commit: string): Map<string, RevisionFacts> {
  const facts = new Map<string, RevisionFacts>([[commit, { covers: true, content: "ours" }]]);
  const applied = new Map<string, string[]>();
  for (const { snapshot } of events) {
    for (const sha of snapshot.revisions) if (history !== undefined && isCommit(sha)) facts.set(sha, OLDER);
    const { operation } = snapshot;
    for (const sha of operation?.revisions ?? []) {
      if (history !== undefined && isCommit(sha)) facts.set(sha, OLDER);
      if (operation !== undefined && !operation.dryRun) applied.set(sha, operation.images);
    }
    for (const sha of operation?.requestedRevisions ?? []) {
      if (history !== undefined && isCommit(sha)) facts.set(sha, OLDER);
    }
  }
  const newer = (history ?? []).slice(0, Math.max(0, (history ?? []).indexOf(commit)));
  let content: RevisionFacts["content"] = "ours";
  for (const sha of newer.toReversed()) {
    const named = (applied.get(sha) ?? []).filter((image) => isOtherVersion(images.new, image));
    if ((applied.get(sha) ?? []).length > 0) content = named.length > 0 ? "other" : "ours";
    facts.set(sha, { covers: true, content });
  }
  facts.set(commit, { covers: true, content: "ours" });
  return facts;
}

const OLDER: RevisionFacts = { covers: false, content: "unknown" };

function isCommit(sha: string): boolean {
  return /^[0-9a-f]{40,64}$/.test(sha);
}

/** What is recorded first stood before the push when it does not contain the commit and did not stay so. */
function isBefore(
  { snapshot }: ReplayEvent,
  events: readonly ReplayEvent[],
  revisions: ReadonlyMap<string, RevisionFacts>,
): boolean {
  if (snapshot.revisions.some((sha) => revisions.get(sha)?.covers === true)) return false;
  return events.some(
    ({ snapshot: later }) => later.sync !== snapshot.sync || later.revisions.join() !== snapshot.revisions.join(),
  );
}

/** Other versions of the images that ran before. */
function othersIn({ images }: ExplainInput, baseline: Baseline | undefined): string[] {
  return (baseline?.summaryImages ?? []).filter((image) => isOtherVersion(images.new, image));
}
