import type { Delivery } from "../../src/model/delivery.ts";
import type { CommitInfo } from "../../src/model/git.ts";

export interface History {
  /** Newest first, first parents of the branch. */
  commits: readonly CommitInfo[];
  foreign: readonly string[];
  deliveries: readonly Delivery[];
  accepted: readonly string[];
  /** Source time of each build. */
  sourceTimes: ReadonlyMap<string, number>;
  /** Changed lines of each commit: removed and added, comments and layout included. */
  changes: ReadonlyMap<string, { path: string; removed: string[]; added: string[] }[]>;
}

/** Promises 1 to 5 of the architecture, as far as the history of one run can show them broken. */
export function violations(history: History): string[] {
  return [
    ...lostBuilds(history),
    ...unfinished(history),
    ...doubled(history),
    ...olderAgain(history),
    ...foreignLost(history),
    ...notByteExact(history),
  ];
}

/** 1: what was accepted is there. */
function lostBuilds({ accepted, deliveries }: History): string[] {
  const known = new Set(deliveries.map((delivery) => delivery.buildId));
  return accepted.filter((build) => !known.has(build)).map((build) => `accepted build ${build} is lost`);
}

/** 1: every delivery ends, unless a person's revert pinned its target or a hold keeps it. */
function unfinished({ deliveries }: History): string[] {
  return deliveries
    .filter((delivery) => delivery.phase !== "done" && delivery.waitReason !== "pin" && delivery.waitReason !== "hold")
    .map(
      (delivery) =>
        `delivery ${delivery.id} of ${delivery.targetId} is stuck in ${delivery.phase}: ${delivery.message}`,
    );
}

/** 2: one commit for one delivery, and one that says it was written is on the branch. */
function doubled({ commits, deliveries }: History): string[] {
  const seen = new Map<string, number>();
  for (const commit of commits) {
    const id = deliveryOf(commit);
    if (id !== undefined) seen.set(id, (seen.get(id) ?? 0) + 1);
  }
  const oids = new Set(commits.map((commit) => commit.oid));
  return [
    ...[...seen].filter(([, count]) => count > 1).map(([id, count]) => `delivery ${id} has ${count} commits`),
    ...deliveries
      .filter((delivery) => delivery.commit !== undefined && !oids.has(delivery.commit))
      .map((delivery) => `delivery ${delivery.id} names commit ${delivery.commit}, which is not on the branch`),
    ...deliveries
      .filter((delivery) => seen.has(delivery.id) && delivery.commit === undefined)
      .map(
        (delivery) =>
          `delivery ${delivery.id} is on the branch but ${delivery.phase} ${delivery.outcome ?? ""} without commit`,
      ),
  ];
}

/** 3: along the branch a target's builds only get newer, except by rollback. */
function olderAgain({ commits, deliveries, sourceTimes }: History): string[] {
  const byId = new Map(deliveries.map((delivery) => [delivery.id, delivery]));
  const latest = new Map<string, number>();
  const found: string[] = [];
  for (const commit of commits.toReversed()) {
    const delivery = byId.get(deliveryOf(commit) ?? "");
    if (delivery === undefined) continue;
    const time = sourceTimes.get(delivery.buildId) ?? 0;
    if (delivery.kind === "rollback") {
      latest.set(delivery.targetId, time);
      continue;
    }
    const before = latest.get(delivery.targetId) ?? 0;
    if (time < before) found.push(`${delivery.targetId} went from source time ${before} back to ${time}`);
    latest.set(delivery.targetId, Math.max(time, before));
  }
  return found;
}

/** 4: what others pushed is still in the history. */
function foreignLost({ commits, foreign }: History): string[] {
  const oids = new Set(commits.map((commit) => commit.oid));
  return foreign.filter((oid) => !oids.has(oid)).map((oid) => `foreign commit ${oid} is no longer on the branch`);
}

/** 5: our commits touch one kustomization, and in it only values of images. */
function notByteExact({ commits, changes }: History): string[] {
  const value = /^\s+(newTag|digest): \S+$/;
  return commits
    .filter((commit) => deliveryOf(commit) !== undefined)
    .flatMap((commit) =>
      (changes.get(commit.oid) ?? [])
        .filter(({ removed, added }) => ![...removed, ...added].every((line) => value.test(line)))
        .map(({ path }) => `commit ${commit.oid} changes more than values in ${path}`),
    );
}

export function deliveryOf(commit: CommitInfo): string | undefined {
  return /^Gitspan-Delivery: (\S+)$/m.exec(commit.message)?.[1];
}
