import { readFileSync } from "node:fs";
import { explainRaw } from "../../src/argocd/explain-input.ts";
import type { Verdict } from "../../src/model/observation.ts";
import { combineVerdicts } from "../../src/model/verdict.ts";

const FOLDER = new URL("../golden/argocd/peers/", import.meta.url);

interface PeerApplication {
  spec?: { sources?: object[] };
  operation?: object;
  status?: {
    summary?: { images?: string[] };
    sync?: { revision?: string; revisions?: string[] };
    operationState?: { finishedAt?: string };
    conditions?: object[];
    health?: object;
  };
  desiredRevisions?: string[];
}

/** A state of Applications, and what another tool makes of it. */
export interface PeerCase {
  id: string;
  peer: string;
  app?: PeerApplication;
  apps?: PeerApplication[];
  desiredRevisions?: string[];
  branchSha?: string;
  expectImages?: string[];
  fault?: string;
  expect: { verdict?: string; ready?: boolean; terminal?: boolean };
}

/** What gitspan makes of it; `why` stands where that is not what the peer does. */
export interface Decision {
  id: string;
  ours: string;
  why?: string;
}

export const peerCases = linesOf<PeerCase>("verdicts.jsonl");
export const decisions = linesOf<Decision>("decisions.jsonl");

function linesOf<T>(name: string): T[] {
  return readFileSync(new URL(name, FOLDER), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}

const IMAGE = "registry.example.com/shop/checkout:1";

/**
 * Our word for the case. Each revision that the peer wants is a question of its own (a source of a chart has none).
 * Peers look at less than we do, so what a case does not speak of is completed with what is good: the revision is our
 * commit's, the cluster equals it and is healthy, the wanted image runs; where no operation has finished, a comparison
 * was made.
 */
export function ourWord(peer: PeerCase): string {
  const apps = peer.fault === "get:NotFound" ? [] : (peer.apps ?? [peer.app ?? {}]);
  return wordOf(combineVerdicts(apps.flatMap((app) => verdictsOf(peer, app))));
}

function verdictsOf(peer: PeerCase, app: PeerApplication): Verdict[] {
  const wanted = app.desiredRevisions ?? peer.desiredRevisions ?? [];
  const named = wanted.filter((revision) => revision !== "" && revision !== "fake-version");
  // An Application of charts only is not what a commit is judged by.
  if (wanted.length > 0 && wanted.every((revision) => revision === "fake-version")) return [];
  const commits = peer.branchSha === undefined ? named : [peer.branchSha];
  const { spec, operation } = app;
  return (commits.length === 0 ? ["a-commit"] : commits).map((commit) => {
    const status = completed(app, commit);
    const question = {
      snapshots: [{ t: 0, application: { metadata: { name: "checkout" }, spec, operation, status } }],
      commit,
      history: [commit],
      images: { new: peer.expectImages ?? [IMAGE], old: [] },
    };
    const settings = { settleMs: 30_000, timeoutMs: 600_000 };
    const last = explainRaw(question, { settings }).at(-1);
    if (last === undefined) throw new Error("nothing was judged");
    return last.verdict;
  });
}

function completed({ spec, status = {} }: PeerApplication, commit: string): object {
  const { sync, operationState, summary, conditions, health } = status;
  const revisions = sync?.revision === undefined && sync?.revisions === undefined ? (spec?.sources ?? [{}]) : undefined;
  return {
    ...(operationState?.finishedAt === undefined ? { reconciledAt: "2024-01-01T00:01:00Z" } : {}),
    ...status,
    health: health ?? { status: "Healthy" },
    sync: {
      ...(conditions === undefined ? { status: "Synced" } : {}),
      ...(revisions === undefined ? {} : { revisions: revisions.map(() => commit) }),
      ...sync,
    },
    summary: { images: summary?.images ?? [IMAGE] },
  };
}

function wordOf({ state, reason }: Verdict): string {
  return reason === undefined ? state : `${state}(${reason})`;
}

/** Whether both call it good, bad, or say that it is not decided. */
export function agrees(peer: PeerCase, ours: string): boolean {
  const { verdict, ready, terminal } = peer.expect;
  const theirs =
    ready === true || verdict === "Healthy" || verdict === "success"
      ? "good"
      : terminal === true || ["Unhealthy", "failure", "degraded"].includes(verdict ?? "")
        ? "bad"
        : "open";
  const own = ours === "healthy" ? "good" : ours.startsWith("failed") ? "bad" : "open";
  return theirs === own;
}
