import type { Build } from "../model/build.ts";
import type { Delivery, ImageValue, Rollback } from "../model/delivery.ts";
import type { CommitInfo } from "../model/git.ts";
import { formatImageReference } from "../model/image.ts";

const MAX_LINE = 200;
/** Machines read trailers: a reference (at most 456 characters) or an address that is cut short would be another one. */
const MAX_TRAILER = 1_000;

/**
 * The commit message: a conventional subject, what it came from, and trailers for machines. Trailer names are part of
 * the design (architecture.md section 6); `Argocd-reference-commit-*` is what Argo CD shows beside the revision.
 */
export function commitMessage(delivery: Named, build: Of): string {
  const { source, run } = build;
  const body = [
    `Source: ${source.repository}@${source.commit}${source.ref === undefined ? "" : ` (${source.ref})`}`,
    ...optional("Change: ", source.subject),
    ...optional("Author: ", source.author),
    ...(run === undefined ? [] : [`Run: ${runName(run)}${run.url === undefined ? "" : ` ${run.url}`}`]),
  ];
  return paragraphs([[subjectOf(delivery)], body], trailersOf(delivery, build));
}

/**
 * As `git revert` writes it, once for each commit that is taken out, with the trailers of what stands again; without
 * commits (all of what goes was adopted) the values alone say what happens.
 */
export function rollbackMessage(
  delivery: Named & { rollback: Pick<Rollback, "undoes" | "why" | "by"> },
  build: Of,
  reverted: readonly Pick<CommitInfo, "oid" | "message">[],
): string {
  const { undoes, why, by } = delivery.rollback;
  const undone = reverted[0]?.message.split("\n")[0] ?? subjectOf(delivery);
  const body = [
    delivery.images.length === 0 ? "Brings back what stood before." : `Brings back ${versionOf(delivery.images)}.`,
    `Reason: ${why}`,
    ...(by === undefined ? [] : [`Asked for by: ${by.subject}`]),
  ];
  const commits = reverted.map(({ oid }) => `This reverts commit ${oid}.`);
  return paragraphs(
    [[`Revert "${oneLine(undone)}"`], commits, body],
    [...trailersOf(delivery, build), ...undoes.map((id) => `Gitspan-Reverts: ${id}`)],
  );
}

type Named = Pick<Delivery, "id" | "app" | "environment" | "targetId" | "images" | "trust">;
type Of = Pick<Build, "source" | "run" | "traceparent">;

function subjectOf(delivery: Named): string {
  return `deploy(${delivery.app}): ${delivery.environment} ${versionOf(delivery.images)}`;
}

function trailersOf(delivery: Named, { source, run, traceparent }: Of): string[] {
  return [
    `Gitspan-Delivery: ${delivery.id}`,
    `Gitspan-Target: ${delivery.targetId}`,
    ...delivery.images.map((image) => `Gitspan-Image: ${formatImageReference(image)}`),
    `Gitspan-Source-Commit: ${source.commit}`,
    ...verifiedBy(delivery.trust),
    ...(run === undefined ? [] : [`Gitspan-Run: ${runName(run)} ${run.uid}`]),
    ...optional("Traceparent: ", traceparent),
    `Argocd-reference-commit-repourl: ${source.repository}`,
    `Argocd-reference-commit-sha: ${source.commit}`,
    ...optional("Argocd-reference-commit-author: ", source.author),
    ...optional("Argocd-reference-commit-subject: ", source.subject),
    ...optional(
      "Argocd-reference-commit-date: ",
      source.time === undefined ? undefined : new Date(source.time).toISOString(),
    ),
  ];
}

/** Whose signatures let it pass: `key sha256:3f0a...` or `identity SUBJECT (ISSUER)`. */
function verifiedBy(trust: Delivery["trust"]): string[] {
  const signers = new Set(trust?.images.flatMap((image) => image.signers) ?? []);
  return [...signers].map((signer) => `Gitspan-Verified-By: ${signer}`);
}

function paragraphs(body: readonly (readonly string[])[], trailers: readonly string[]): string {
  const parts = [
    ...body.map((part) => part.map((line) => oneLine(line))),
    trailers.map((line) => oneLine(line, MAX_TRAILER)),
  ];
  return parts
    .filter((part) => part.length > 0)
    .map((part) => part.join("\n"))
    .join("\n\n");
}

/** What people call this version: the tag they share, else the start of the digest. */
export function versionOf(images: readonly ImageValue[]): string {
  const versions = new Set(images.map((image) => image.tag ?? image.digest?.slice(0, "sha256:".length + 12) ?? "?"));
  return [...versions].join(" ");
}

function runName(run: { kind: string; namespace?: string; name: string }): string {
  return `${run.kind} ${run.namespace === undefined ? "" : `${run.namespace}/`}${run.name}`;
}

function optional(prefix: string, value: string | undefined): string[] {
  return value === undefined || value === "" ? [] : [`${prefix}${value}`];
}

/** A caller's text must stay on its line: a newline in it could forge a trailer. */
function oneLine(text: string, limit = MAX_LINE): string {
  return text
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .slice(0, limit)
    .toWellFormed()
    .trimEnd();
}
