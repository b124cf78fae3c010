import type { BuildReport, Run } from "../model/build.ts";
import type { CommitInfo } from "../model/git.ts";
import { type ImageReference, parseImageReference } from "../model/image.ts";

type Message = Pick<CommitInfo, "message">;

/** What one of our commits says of itself (message.ts writes it). */
export interface OwnCommit {
  commit: CommitInfo;
  delivery: string;
  target: string;
  images: ImageReference[];
  /** Deliveries that it takes out: then it is a rollback. */
  reverts: string[];
  source: BuildReport["source"];
  run: Run | undefined;
}

/** The delivery that a commit of ours says it carries. */
export function deliveryOfCommit(commit: Message): string | undefined {
  return trailersOf(commit).get("Gitspan-Delivery")?.[0];
}

/** `git revert` writes this sentence, once per commit; people who write it by hand mean the same. */
export function revertedBy({ message }: Message): string[] {
  return [...message.matchAll(/This reverts commit ([0-9a-f]{7,40})/g)].map(([, oid]) => oid ?? "");
}

/** Undefined for a commit that is not ours, or whose trailers somebody has broken. */
export function ownCommit(commit: CommitInfo): OwnCommit | undefined {
  const trailers = trailersOf(commit);
  const first = (name: string): string | undefined => trailers.get(name)?.[0];
  const [delivery, target, sourceCommit] = [
    first("Gitspan-Delivery"),
    first("Gitspan-Target"),
    first("Gitspan-Source-Commit"),
  ];
  if (delivery === undefined || target === undefined || sourceCommit === undefined) return undefined;
  const time = Date.parse(first("Argocd-reference-commit-date") ?? "");
  return {
    commit,
    delivery,
    target,
    images: (trailers.get("Gitspan-Image") ?? []).flatMap(referenceOf),
    reverts: trailers.get("Gitspan-Reverts") ?? [],
    source: {
      repository: first("Argocd-reference-commit-repourl") ?? "",
      commit: sourceCommit,
      ...(Number.isNaN(time) ? {} : { time }),
    },
    run: runOf(first("Gitspan-Run"), commit.committedAt),
  };
}

function referenceOf(text: string): ImageReference[] {
  try {
    return [parseImageReference(text)];
  } catch {
    return [];
  }
}

/** `PipelineRun shop-ci/checkout-7 5d1f0b6e`; it had finished when its commit was made. */
function runOf(text: string | undefined, finishedAt: number): Run | undefined {
  const [kind, name, uid] = text?.split(" ") ?? [];
  if (kind === undefined || name === undefined || uid === undefined) return undefined;
  const [namespace, rest] = name.split("/");
  return rest === undefined
    ? { kind, name, uid, finishedAt }
    : { kind, ...(namespace && { namespace }), name: rest, uid, finishedAt };
}

/** Of the last paragraph only, where Git looks for trailers: a quoted message in the body is not ours to say. */
function trailersOf({ message }: Message): Map<string, string[]> {
  const last = message.trimEnd().split("\n\n").at(-1) ?? "";
  const trailers = new Map<string, string[]>();
  for (const line of last.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon < 0) continue;
    const name = line.slice(0, colon);
    trailers.set(name, [...(trailers.get(name) ?? []), line.slice(colon + 2).trim()]);
  }
  return trailers;
}
