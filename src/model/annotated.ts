import {
  ANNOTATION_LIMIT,
  type ApplicationRef,
  type ApplicationSnapshot,
  followsBranch,
  formatApplicationRef,
  type SourceFolder,
  sourceFolder,
} from "./application.ts";
import { isRepository, parseImageReference } from "./image.ts";
import { matchesPattern, type SourceRule } from "./match.ts";
import { isSameRepository } from "./repository-url.ts";
import type { Policy, Target, TargetImage } from "./target.ts";

/** What Applications of some projects may make themselves targets of. */
export interface AnnotatedRule {
  /** Patterns in which `*` stands for any text; so in `paths`. */
  projects: readonly string[];
  environments: readonly { name: string; policy: Policy }[];
  /** Names of repositories. */
  repositories: readonly string[];
  /** Of files, from the repository's root. */
  paths: readonly string[];
  from: SourceRule;
}

/** Everything of a configuration that decides about annotated Applications. */
export interface AnnotationRules {
  /** Names of the Argo CDs. */
  clusters: readonly string[];
  rules: readonly AnnotatedRule[];
  repositories: readonly { name: string; url: string; branch: string }[];
  /** Targets that the configuration has one by one: they win. */
  targets: readonly Target[];
}

/** One source of an Application that a target could be written to. */
export interface ClaimSource extends SourceFolder {
  repository: string;
  branch: string;
}

/** An Application that asks to be a target, and may. */
export interface Claim {
  /** `app/environment` */
  id: string;
  app: string;
  environment: string;
  application: ApplicationRef;
  images: TargetImage[];
  sources: ClaimSource[];
  rule: AnnotatedRule;
}

/** An Application that asks to be a target, and may not. */
export interface RefusedApplication {
  application: ApplicationRef;
  /** As far as it tells. */
  app: string;
  environment?: string;
  images: string[];
  message: string;
  hint: string;
}

const NAME = /^[a-z0-9-]{1,63}$/;
const MAX_IMAGES = 20;
const HOW = "as in gitspan.dev/images: name=registry.example.com/shop/checkout";

/** What an annotated Application asks for, by the rules of the configuration alone: no file is looked at. */
export function claimOf(rules: AnnotationRules, snapshot: ApplicationSnapshot): Claim | RefusedApplication {
  const { ref, annotated, project } = snapshot;
  const app = annotated?.app ?? ref.name;
  const images = imagesOf(annotated?.images ?? "");
  const known = typeof images === "string" ? [] : images;
  const refuse = (message: string, hint: string): RefusedApplication => ({
    application: ref,
    app,
    ...(annotated?.environment === undefined ? {} : { environment: annotated.environment }),
    images: known.map(({ repository }) => repository),
    message: `Application ${formatApplicationRef(ref)} is no target: ${message}`,
    hint,
  });
  const fitting = rules.rules.filter(({ projects }) => projects.some((pattern) => matchesPattern(pattern, project)));
  if (fitting.length === 0) {
    return refuse(
      `its project ${project || "(none)"} is not listed`,
      "List it in `annotated` of the configuration, or remove the annotation.",
    );
  }
  if (typeof images === "string") return refuse(images, `Correct the annotation gitspan.dev/images, ${HOW}.`);
  if (!NAME.test(app)) {
    return refuse(
      `"${app}" cannot be the name of an app`,
      "Name the app in gitspan.dev/app: a-z, 0-9 and -, at most 63.",
    );
  }
  if (rules.targets.some((target) => target.app === app)) {
    return refuse(`the configuration has an app ${app} already`, "Choose another name in gitspan.dev/app.");
  }
  const environments = [...new Set(fitting.flatMap((rule) => rule.environments.map(({ name }) => name)))];
  const [only, second] = environments;
  const environment = annotated?.environment ?? (second === undefined ? only : undefined);
  const rule = fitting.find((one) => one.environments.some(({ name }) => name === environment));
  if (environment === undefined || rule === undefined) {
    const which = environment === undefined ? "it does not say its environment" : `it may not be in "${environment}"`;
    return refuse(which, `Set gitspan.dev/environment to one of ${environments.join(", ")}.`);
  }
  const own = ownImage(annotated?.own ?? [], known);
  if (own !== undefined) {
    return refuse(
      `its own kustomize.images say which ${own} runs, so no file does`,
      "Remove the entry from the Application's source.",
    );
  }
  const configured = rules.targets.find((target) => runsIn(target, ref) && sharesImage(target, known));
  if (configured !== undefined) {
    return refuse(
      `${configured.id} of the configuration delivers to it`,
      "Remove the annotation, or the Application from the target's `applications`.",
    );
  }
  const sources = sourcesOf(rules, rule, snapshot);
  if (!Array.isArray(sources)) return refuse(sources.message, sources.hint);
  return { id: `${app}/${environment}`, app, environment, application: ref, images, sources, rule };
}

export function isRefused(answer: Claim | RefusedApplication): answer is RefusedApplication {
  return "message" in answer;
}

/** The images, or what is wrong. */
function imagesOf(text: string): TargetImage[] | string {
  if (text.length > ANNOTATION_LIMIT) return `gitspan.dev/images has more than ${ANNOTATION_LIMIT} characters`;
  const images = text.split(",").map((part) => {
    const equals = part.indexOf("=");
    return { name: part.slice(0, Math.max(0, equals)).trim(), repository: part.slice(equals + 1).trim() };
  });
  if (images.length > MAX_IMAGES) return `gitspan.dev/images names more than ${MAX_IMAGES} images`;
  const names = new Set<string>();
  const repositories = new Set<string>();
  for (const { name, repository } of images) {
    if (!NAME.test(name)) return `"${name}" in gitspan.dev/images is no name of an image`;
    if (!isRepository(repository)) return `"${repository}" in gitspan.dev/images is no image repository without tag`;
    if (names.has(name)) return `gitspan.dev/images has the name ${name} twice`;
    if (repositories.has(repository)) return `gitspan.dev/images has ${repository} twice`;
    names.add(name);
    repositories.add(repository);
  }
  return images;
}

/** Items of `kustomize.images` are `[name=]repository[:tag][@digest]`; either name may be the one that CI knows. */
function ownImage(own: readonly string[], images: readonly TargetImage[]): string | undefined {
  const named = new Set(own.flatMap((item) => item.split("=").map(repositoryOf)));
  return images.find(({ repository }) => named.has(repository))?.repository;
}

function repositoryOf(reference: string): string | undefined {
  try {
    return parseImageReference(reference).repository;
  } catch {
    return undefined;
  }
}

/** Claims of one target: several Applications may run it, on several clusters say. */
export interface ClaimGroup {
  id: string;
  images: TargetImage[];
  claims: [Claim, ...Claim[]];
}

/** Of two rules that would let Applications be the same target, the first in the configuration decides. */
export function groupClaims(
  rules: AnnotationRules,
  claims: readonly Claim[],
): { groups: ClaimGroup[]; refused: RefusedApplication[] } {
  const groups: ClaimGroup[] = [];
  const refused: RefusedApplication[] = [];
  for (const [id, all] of Map.groupBy(claims, (claim) => claim.id)) {
    const rule = rules.rules.find((one) => all.some((claim) => claim.rule === one));
    const late = all.filter((claim) => claim.rule !== rule);
    const taken = `another entry of \`annotated\` lets other Applications be ${id}`;
    refused.push(...late.map((claim) => refusedClaim(claim, taken, "Choose another name in gitspan.dev/app.")));
    const [first, ...others] = all.filter((claim) => claim.rule === rule);
    if (first === undefined) continue;
    const images = new Map<string, TargetImage>();
    const conflict = [first, ...others]
      .flatMap((claim) => claim.images)
      .find(({ name, repository }) => {
        const same = [...images.values()].find((image) => image.name === name || image.repository === repository);
        images.set(repository, { name, repository });
        return same !== undefined && (same.name !== name || same.repository !== repository);
      });
    if (conflict === undefined) {
      groups.push({ id, images: [...images.values()], claims: [first, ...others] });
      continue;
    }
    const message = `the Applications of ${id} name the image ${conflict.name} (${conflict.repository}) differently`;
    const hint = "Write the same gitspan.dev/images at each, or another gitspan.dev/app.";
    refused.push(...[first, ...others].map((claim) => refusedClaim(claim, message, hint)));
  }
  return { groups, refused };
}

function refusedClaim(claim: Claim, message: string, hint: string): RefusedApplication {
  const { application, app, environment, images } = claim;
  return {
    application,
    app,
    environment,
    images: images.map(({ repository }) => repository),
    message: `Application ${formatApplicationRef(application)} is no target: ${message}`,
    hint,
  };
}

function runsIn({ applications }: Target, ref: ApplicationRef): boolean {
  return applications?.some((one) => formatApplicationRef(one) === formatApplicationRef(ref)) === true;
}

function sharesImage(target: Target, images: readonly TargetImage[]): boolean {
  return target.images.some((image) => images.some(({ repository }) => repository === image.repository));
}

/** Sources in listed repositories that follow the branch that is written there. */
function sourcesOf(
  { repositories }: AnnotationRules,
  rule: AnnotatedRule,
  { sources }: ApplicationSnapshot,
): ClaimSource[] | Pick<RefusedApplication, "message" | "hint"> {
  const listed = repositories.filter(({ name }) => rule.repositories.includes(name));
  let elsewhere: string | undefined;
  const found = sources.flatMap((source): ClaimSource[] => {
    const folder = sourceFolder(source, sources);
    const same = listed.filter(({ url }) => isSameRepository(url, source.repoURL));
    const repository = same.find(({ branch }) => followsBranch(source.targetRevision, branch));
    if (folder === undefined || same[0] === undefined) return [];
    if (repository !== undefined) return [{ repository: repository.name, branch: repository.branch, ...folder }];
    elsewhere = `it follows ${source.targetRevision} of ${same[0].name}, which is written on ${same[0].branch}`;
    return [];
  });
  if (found.length > 0) return found;
  return {
    message: elsewhere ?? "none of its sources is a folder of a listed repository",
    hint: `Its \`annotated\` entry lets it be written in ${rule.repositories.join(", ")}, each on its own branch; list the repository, or point the Application there.`,
  };
}

/** A target that an Application made itself, with where its builds must come from. */
export interface AnnotatedTarget {
  target: Target;
  from: SourceRule;
}

/** What may be a target, as soon as its files can be read. */
export interface Undecided {
  id: string;
  images: string[];
  from: SourceRule;
  why: string;
}

export interface AnnotatedState {
  /** False until every Argo CD has told its Applications once: any name may be that of a target. */
  complete: boolean;
  targets: readonly AnnotatedTarget[];
  refused: readonly RefusedApplication[];
  undecided: readonly Undecided[];
}

/** Where the configuration has no rule for annotated Applications. */
export const NOT_ANNOTATED: AnnotatedState = { complete: true, targets: [], refused: [], undecided: [] };
