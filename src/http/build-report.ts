import { z } from "zod";
import type { PreviewRequest } from "../delivery/plan-preview.ts";
import type { Artifact, BuildReport, Run, Source } from "../model/build.ts";
import { GitspanError } from "../model/errors.ts";
import { type Digest, isDigest, isRepository, isTag, parseImageReference } from "../model/image.ts";
import { isRef, isSourceRepository, isWebUrl } from "../model/source-location.ts";
import type { RunClaim } from "./bearers.ts";
import { parseWith, plainText } from "./parse.ts";
import { type FieldError, InvalidRequest } from "./problem.ts";

const MAX_IMAGES = 50;
/** Clocks of CI systems differ by minutes at most; a run from the future would count as the newest for ever. */
const MAX_RUN_AHEAD_MS = 10 * 60_000;
/** Commit dates come from people's own machines. */
const MAX_COMMIT_AHEAD_MS = 24 * 3_600_000;
const NAME = /^[A-Za-z0-9][\w.-]{0,99}$/;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

const time = z.iso
  .datetime({ offset: true, error: "must be an ISO 8601 time with a zone, as 2026-01-31T12:00:00Z" })
  .transform((text) => Date.parse(text))
  .refine((ms) => ms >= 0, "must not be before 1970");

const image = z.strictObject({
  name: z.string().regex(NAME, "must be letters, digits, dots, dashes and underscores (at most 100)").optional(),
  repository: z.string().refine(isRepository, "must be registry/path without tag or digest").optional(),
  image: z.string().max(512, "must have at most 512 characters").optional(),
  tag: z.string().refine(isTag, "is not a tag").optional(),
  digest: z
    .custom<Digest>(
      (value) => typeof value === "string" && isDigest(value),
      "must be sha256: and 64 lower-case hexadecimal digits",
    )
    .meta({ type: "string", pattern: "^sha256:[0-9a-f]{64}$" })
    .optional(),
});

/** What `POST /v1/builds` takes; `parseBuildReport` checks what lies between the fields. */
export const buildReportBody = z.strictObject({
  images: z.array(image).min(1, "must not be empty").max(MAX_IMAGES, `must have at most ${MAX_IMAGES} images`),
  source: z.strictObject({
    repository: plainText(2_048).refine(isSourceRepository, "must be the URL of a Git repository, without credentials"),
    commit: z.string().regex(COMMIT, "must be a full commit id: 40 or 64 lower-case hexadecimal digits"),
    ref: plainText(255).refine(isRef, "must be a full ref, as refs/heads/main").optional(),
    time: time.optional(),
    subject: plainText(1_000).optional(),
    author: plainText(320).optional(),
  }),
  run: z
    .strictObject({
      kind: z.string().regex(NAME, "must be a word, as PipelineRun"),
      name: plainText(253),
      uid: plainText(253),
      namespace: plainText(63).optional(),
      cluster: plainText(253).optional(),
      url: plainText(2_048).refine(isWebUrl, "must be an http or https URL without credentials").optional(),
      finishedAt: time.optional(),
    })
    .optional(),
});

type ReportedImage = z.output<typeof image>;

/** What `POST /v1/builds` takes of a task of the run itself, whose images and source are read from the run. */
export const runClaimBody = z.strictObject({
  run: z.strictObject({ namespace: plainText(63), name: plainText(253), uid: plainText(253) }).optional(),
  images: z.array(image).max(MAX_IMAGES, `must have at most ${MAX_IMAGES} images`).optional(),
});

/** Throws `bad-request` with every field that is wrong; no body at all claims nothing. */
export function parseRunClaim(body: unknown): RunClaim {
  const { run, images = [] } = parseWith(runClaimBody, body ?? {}, "what is said of the run");
  const errors: FieldError[] = [];
  const artifacts = images.map((reported, index) => artifactOf(reported, `images[${index}]`, errors));
  if (errors.length > 0) throw new InvalidRequest("what is said of the run", errors);
  return { images: artifacts, ...(run === undefined ? {} : { run }) };
}

/** The body of `POST /v1/builds`; `now` in milliseconds. Throws `bad-request` with every field that is wrong. */
export function parseBuildReport(body: unknown, now: number): BuildReport {
  if (body === undefined) throw new GitspanError("bad-request", "the request has no body");
  const parsed = parseWith(buildReportBody, body, "the build report");
  const { artifacts, run } = checkedParts(parsed, now, "the build report");
  return { artifacts, source: parsed.source, ...(run === undefined ? {} : { run }) };
}

/** What `POST /v1/plans` takes: a build report whose source need not be known yet. */
export const planBody = buildReportBody.partial({ source: true }).extend({
  targets: z
    .array(z.string().regex(/^[a-z0-9-]{1,63}\/[a-z0-9-]{1,63}$/, "must be app/environment"))
    .max(200, "must have at most 200 targets")
    .optional(),
});

/** The body of `POST /v1/plans`; as `parseBuildReport`. */
export function parsePlanBody(body: unknown, now: number): Omit<PreviewRequest, "sees"> {
  if (body === undefined) throw new GitspanError("bad-request", "the request has no body");
  const parsed = parseWith(planBody, body, "the plan");
  const { artifacts } = checkedParts(parsed, now, "the plan");
  const { images: _, ...rest } = parsed;
  return { ...rest, artifacts };
}

/** What can only be said of several fields together. */
function checkedParts(parsed: z.output<typeof planBody>, now: number, what: string) {
  const errors: FieldError[] = [];
  const artifacts = parsed.images.map((reported, index) => artifactOf(reported, `images[${index}]`, errors));
  refuseTwice(artifacts, errors);
  refuseFuture(parsed.source, parsed.run, now, errors);
  if (errors.length > 0) throw new InvalidRequest(what, errors);
  return { artifacts, run: parsed.run };
}

/** Takes `{repository, tag, digest}` or `{image: "repository:tag@digest"}`, where each part may be given once. */
function artifactOf(reported: ReportedImage, path: string, errors: FieldError[]): Artifact {
  const parts = { ...splitReference(reported, path, errors) };
  for (const key of ["tag", "digest"] as const) {
    if (reported[key] === undefined) continue;
    if (parts[key] !== undefined && parts[key] !== reported[key]) {
      errors.push({ path: `${path}.${key}`, message: `contradicts the ${key} in image` });
    }
    Object.assign(parts, { [key]: reported[key] });
  }
  if (parts.repository !== "" && parts.tag === undefined && parts.digest === undefined) {
    errors.push({ path, message: "needs a tag or a digest" });
  }
  const name = reported.name ?? parts.repository.slice(parts.repository.lastIndexOf("/") + 1);
  return { name, ...parts };
}

function splitReference(reported: ReportedImage, path: string, errors: FieldError[]): Omit<Artifact, "name"> {
  const { repository, image } = reported;
  if ((repository === undefined) === (image === undefined)) {
    errors.push({ path, message: "needs exactly one of repository and image" });
    return { repository: "" };
  }
  if (repository !== undefined) return { repository };
  try {
    return parseImageReference(image ?? "");
  } catch (error) {
    if (!(error instanceof GitspanError)) throw error;
    errors.push({ path: `${path}.image`, message: error.message });
    return { repository: "" };
  }
}

function refuseTwice(artifacts: readonly Artifact[], errors: FieldError[]): void {
  const seen = new Map<string, number>();
  for (const [index, { repository }] of artifacts.entries()) {
    const first = seen.get(repository);
    if (repository !== "" && first !== undefined) {
      errors.push({ path: `images[${index}]`, message: `has the same repository as images[${first}]` });
    }
    seen.set(repository, first ?? index);
  }
}

function refuseFuture(source: Source | undefined, run: Run | undefined, now: number, errors: FieldError[]): void {
  if ((source?.time ?? 0) > now + MAX_COMMIT_AHEAD_MS) {
    errors.push({ path: "source.time", message: "lies more than a day in the future" });
  }
  if ((run?.finishedAt ?? 0) > now + MAX_RUN_AHEAD_MS) {
    errors.push({ path: "run.finishedAt", message: "lies more than ten minutes in the future" });
  }
}
