import type { Artifact } from "../model/build.ts";
import { GitspanError } from "../model/errors.ts";
import { type Digest, type ImageReference, isDigest, parseImageReference } from "../model/image.ts";
import type { RunResult } from "./run.ts";

export type Artifacts = { artifacts: Artifact[] } | { problem: string };

const MAX_IMAGES = 50;
const SEPARATOR = /[\s,]+/;

/** One image that a result names, and the result's prefix: `worker` in `worker-IMAGE_URL`. */
interface Named {
  image: ImageReference;
  prefix: string;
}

/**
 * The images that a run's results name, in the styles of Tekton Chains (docs/slsa-provenance.md, type hints):
 * `*IMAGE_URL` with `*IMAGE_DIGEST`, `IMAGES`, objects `*ARTIFACT_OUTPUTS`, `*ARTIFACT_URI` with `*ARTIFACT_DIGEST`.
 * The first two mean images and nothing else: one that is broken is a problem, because half a build must not be delivered.
 * Artifacts can be anything: what is no image with a digest is left out.
 */
export function artifactsOf(results: readonly RunResult[]): Artifacts {
  const strings = new Map(results.flatMap(({ name, value }) => (typeof value === "string" ? [[name, value]] : [])));
  try {
    const styles = [pairsOf(strings), imagesOf(results), outputsOf(results), artifactPairsOf(strings)];
    const artifacts = merged(styles);
    if (artifacts.length > MAX_IMAGES) return { problem: `the run names more than ${MAX_IMAGES} images` };
    if (artifacts.length > 0) return { artifacts };
    const lone = [...strings.keys()].find((name) => name.endsWith("IMAGE_DIGEST"));
    if (lone !== undefined) return { problem: `the result ${lone} has no IMAGE_URL beside it` };
    return { problem: "the run has no results that name an image" };
  } catch (error) {
    if (error instanceof GitspanError) return { problem: error.message };
    throw error;
  }
}

function pairsOf(results: ReadonlyMap<string, string>): Named[] {
  const named: Named[] = [];
  for (const [name, value] of results) {
    if (!name.endsWith("IMAGE_URL")) continue;
    const prefix = name.slice(0, -"IMAGE_URL".length);
    const image = referenceOf(name, value);
    const digest = results.get(`${prefix}IMAGE_DIGEST`);
    if (digest !== undefined) image.digest = digestOf(`${prefix}IMAGE_DIGEST`, digest, image.digest);
    if (image.tag === undefined && image.digest === undefined) throw problem(`the result ${name} has no tag or digest`);
    named.push({ image, prefix });
  }
  return named;
}

function imagesOf(results: readonly RunResult[]): Named[] {
  const value = results.find(({ name }) => name === "IMAGES")?.value;
  if (value === undefined) return [];
  if (typeof value !== "string" && !Array.isArray(value)) throw problem("the result IMAGES is not a list");
  const references = [value].flat().flatMap((text) => text.split(SEPARATOR));
  return references
    .filter((text) => text !== "")
    .map((text) => {
      const image = referenceOf("IMAGES", text);
      if (image.digest === undefined) throw problem(`the result IMAGES names ${image.repository} without a digest`);
      return { image, prefix: "" };
    });
}

function outputsOf(results: readonly RunResult[]): Named[] {
  return results.flatMap(({ name, value }) => {
    if (!name.endsWith("ARTIFACT_OUTPUTS") || typeof value === "string" || Array.isArray(value)) return [];
    // "false" marks what was made on the way: an SBOM, a test report.
    if (value["isBuildArtifact"] === "false") return [];
    return imageOf(value["uri"], value["digest"], name.slice(0, -"ARTIFACT_OUTPUTS".length));
  });
}

function artifactPairsOf(results: ReadonlyMap<string, string>): Named[] {
  return [...results].flatMap(([name, value]) => {
    if (!name.endsWith("ARTIFACT_URI")) return [];
    const prefix = name.slice(0, -"ARTIFACT_URI".length);
    return imageOf(value, results.get(`${prefix}ARTIFACT_DIGEST`), prefix);
  });
}

/** Nothing when it is not an image with a digest. */
function imageOf(uri: string | undefined, digest: string | undefined, prefix: string): Named[] {
  if (uri === undefined || digest === undefined || !isDigest(digest)) return [];
  try {
    const image = parseImageReference(withoutScheme(uri));
    return image.digest === undefined || image.digest === digest ? [{ image: { ...image, digest }, prefix }] : [];
  } catch (error) {
    if (error instanceof GitspanError) return [];
    throw error;
  }
}

/**
 * A repository belongs to the first style that names it: builds for several platforms list the parts of their index in
 * `IMAGES` and the index itself in `IMAGE_URL`. Two values within one style stay two: whoever matches them refuses.
 */
function merged(styles: readonly Named[][]): Artifact[] {
  const artifacts: Artifact[] = [];
  for (const style of styles) {
    const taken = new Set(artifacts.map(({ repository }) => repository));
    for (const { image, prefix } of style) {
      if (taken.has(image.repository)) continue;
      const same = artifacts.find(
        ({ repository, digest, tag }) =>
          repository === image.repository && (digest === undefined ? tag === image.tag : digest === image.digest),
      );
      if (same === undefined) artifacts.push({ name: nameOf(prefix, image.repository), ...image });
      else if (same.tag === undefined && image.tag !== undefined) same.tag = image.tag;
    }
  }
  return artifacts;
}

/** `worker` for `worker-IMAGE_URL`, the repository's last part where the result has no prefix. */
function nameOf(prefix: string, repository: string): string {
  const name = prefix.replace(/[-_.]+$/, "").toLowerCase();
  return /^[a-z0-9][\w.-]{0,99}$/.test(name) ? name : repository.slice(repository.lastIndexOf("/") + 1);
}

function referenceOf(result: string, value: string): ImageReference {
  try {
    return parseImageReference(withoutScheme(value));
  } catch (error) {
    if (error instanceof GitspanError) throw problem(`the result ${result} is not usable: ${error.message}`);
    throw error;
  }
}

function digestOf(result: string, value: string, known: Digest | undefined): Digest {
  if (!isDigest(value)) throw problem(`the result ${result} is not a sha256 digest`);
  if (known !== undefined && known !== value) throw problem(`the result ${result} contradicts the digest in IMAGE_URL`);
  return value;
}

function withoutScheme(uri: string): string {
  return uri.replace(/^(?:oci|docker):\/\//, "");
}

function problem(message: string): GitspanError {
  return new GitspanError("bad-request", message);
}
