import type { Evidence } from "../../model/observation.ts";

/** What the images named by Pod specs (or, where no Pod is, by the applied manifests) prove. */
export interface ImageProof {
  proven: boolean;
  evidence: Evidence[];
}

interface Reference {
  text: string;
  repository: string;
  /** Last part of the repository: equal for a mirror of it. */
  base: string;
  tag: string | undefined;
  digest: string | undefined;
}

/**
 * Every new image must be named by a Pod, no old one may be. `running` is `status.summary.images`: the union over all
 * Pods, so it holds both while rolling. An image whose repository no Pod names at all (scaled to zero, a CronJob before
 * its first run) is looked up in `applied`, the images of the last full operation, which prove nothing where Pods exist
 * (recordings u and v). A mirror's Pods (same last name, other registry) are not "no Pod".
 */
export function proveImages(
  wanted: { new: readonly string[]; old: readonly string[] },
  seen: { running: readonly string[]; applied: readonly string[] },
): ImageProof {
  const running = seen.running.map(referenceOf);
  const applied = seen.applied.map(referenceOf);
  const evidence: Evidence[] = [];
  let proven = wanted.new.length > 0;
  for (const image of wanted.new.map(referenceOf)) {
    const found = proofOf(image, running, applied);
    proven &&= found.ok;
    evidence.push(found.evidence);
  }
  for (const image of wanted.old.map(referenceOf)) {
    // The same tag without the digest cannot be told from the new image by what a Pod names.
    if (wanted.new.some((text) => text === image.text || text.startsWith(`${image.text}@`))) continue;
    const still = running.find((candidate) => isSame(image, candidate));
    if (still === undefined) continue;
    proven = false;
    evidence.push({ field: "status.summary.images", value: still.text, rule: "a Pod still names the old image" });
  }
  return { proven, evidence };
}

/** Whether a reference that was seen is the wanted one. */
export function isSameImage(wanted: string, seen: string): boolean {
  return isSame(referenceOf(wanted), referenceOf(seen));
}

/** Whether a reference names another version of one of the images. */
export function isOtherVersion(wanted: readonly string[], seen: string): boolean {
  const found = referenceOf(seen);
  const same = wanted.map(referenceOf).filter((image) => image.repository === found.repository);
  return same.length > 0 && !same.some((image) => isSame(image, found));
}

function proofOf(
  image: Reference,
  running: readonly Reference[],
  applied: readonly Reference[],
): { ok: boolean; evidence: Evidence } {
  const field = "status.summary.images";
  const pod = running.find((candidate) => isSame(image, candidate));
  if (pod !== undefined) return { ok: true, evidence: { field, value: pod.text, rule: "a Pod names the new image" } };
  const near = running.filter((candidate) => candidate.base === image.base).map(({ text }) => text);
  if (near.length > 0) {
    return { ok: false, evidence: { field, value: near.join(" "), rule: `no Pod names ${image.text}` } };
  }
  const manifest = applied.find((candidate) => isSame(image, candidate));
  if (manifest === undefined) return { ok: false, evidence: { field, value: "", rule: `no Pod names ${image.text}` } };
  return {
    ok: true,
    evidence: {
      field: "status.operationState.syncResult.resources[].images",
      value: manifest.text,
      rule: "no Pod runs, and the applied manifest names the new image",
    },
  };
}

/**
 * The digest decides where both name one; a Pod spec that names only a tag is compared by the tag, one that names only
 * a digest needs ours.
 */
function isSame(wanted: Reference, seen: Reference): boolean {
  if (wanted.repository !== seen.repository) return false;
  if (wanted.digest !== undefined && seen.digest !== undefined) return wanted.digest === seen.digest;
  if (wanted.digest === undefined && wanted.tag === undefined) return seen.tag === undefined || seen.tag === "latest";
  return wanted.tag !== undefined && wanted.tag === seen.tag;
}

function referenceOf(text: string): Reference {
  const at = text.indexOf("@");
  const name = at < 0 ? text : text.slice(0, at);
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const slash = name.lastIndexOf("/");
  const colon = name.indexOf(":", slash + 1);
  const repository = withoutDefaultRegistry(colon < 0 ? name : name.slice(0, colon));
  const tag = colon < 0 ? undefined : name.slice(colon + 1);
  return { text, repository, base: repository.slice(repository.lastIndexOf("/") + 1), tag, digest };
}

/** `docker.io/library/nginx` and `nginx` are one repository. */
function withoutDefaultRegistry(repository: string): string {
  return repository.replace(/^(?:index\.)?docker\.io\//, "").replace(/^library\//, "");
}
