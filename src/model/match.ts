import type { Artifact, BuildReport, Source } from "./build.ts";
import type { ImageValue } from "./delivery.ts";
import { addressBy } from "./repository-url.ts";
import type { Target, TargetImage } from "./target.ts";

/** Which source repository and which of its branches and tags an app's builds must come from. */
export interface SourceRule {
  /** Address of the source repository; `/*` at its end stands for all below it. */
  repository: string;
  /** Patterns in which `*` stands for any text, slashes included. With neither list, every ref is good. */
  branches: readonly string[];
  tags: readonly string[];
}

export interface AppRule {
  name: string;
  /** Absent: builds from anywhere. */
  from?: SourceRule;
  /** The pipeline task whose results name its images, for a run that reports itself; absent: `DEFAULT_BUILD_TASK`. */
  buildTask?: string;
}

export interface BuildMatches {
  /** In the order of the targets. */
  matches: { target: Target; images: ImageValue[] }[];
  /** One sentence for each app that has an image of the build and still does not take it. */
  misses: string[];
}

export interface MatchRules {
  apps: readonly AppRule[];
  targets: readonly Target[];
}

type MatchedReport = Pick<BuildReport, "artifacts"> & { source?: Source };

/** The targets that a build is for (one without a source meets every rule about sources), and the values of those of their images that the build made. */
export function matchBuild(rules: MatchRules, report: MatchedReport): BuildMatches {
  return matcherOf(rules)(report);
}

/** `matchBuild` for many builds: what the rules say is looked up by image, however many targets there are. */
export function matcherOf(rules: MatchRules): (report: MatchedReport) => BuildMatches {
  const apps = new Map(rules.apps.map((app) => [app.name, app]));
  const placesOf = new Map<string, number[]>();
  for (const [place, { images }] of rules.targets.entries()) {
    for (const { repository } of images) {
      const places = placesOf.get(repository);
      if (places === undefined) placesOf.set(repository, [place]);
      else places.push(place);
    }
  }
  return (report) => {
    const result: BuildMatches = { matches: [], misses: [] };
    const missed = new Set<string>();
    const repositories = new Set(report.artifacts.map(({ repository }) => repository));
    const places = new Set([...repositories].flatMap((repository) => placesOf.get(repository) ?? []));
    for (const place of [...places].sort((one, other) => one - other)) {
      const target = rules.targets[place];
      if (target === undefined) continue;
      const built = target.images.filter((image) => repositories.has(image.repository));
      const rule = apps.get(target.app)?.from;
      const miss =
        (rule && report.source && refusalOf(target.app, rule, report.source)) ??
        conflictOf(target.app, built, report.artifacts);
      if (miss === undefined)
        result.matches.push({ target, images: built.map((image) => valueOf(image, report.artifacts)) });
      else missed.add(miss);
    }
    result.misses = [...missed];
    return result;
  };
}

/** Whether builds of this source are what the rule wants. */
export function takesSource(rule: SourceRule, source: Source): boolean {
  return refusalOf("", rule, source) === undefined;
}

/** Why the rule refuses the source, as a sentence; `undefined` when it does not. */
function refusalOf(app: string, rule: SourceRule, source: Source): string | undefined {
  if (addressBy(rule.repository, source.repository) === undefined) {
    return `app ${app} wants builds from ${withoutUser(rule.repository)}, the build is from ${withoutUser(source.repository)}`;
  }
  const kinds = [
    { prefix: "refs/heads/", label: "branch", patterns: rule.branches },
    { prefix: "refs/tags/", label: "tag", patterns: rule.tags },
  ];
  if (kinds.every((kind) => kind.patterns.length === 0)) return undefined;
  const { ref } = source;
  const accepted = kinds.some(
    ({ prefix, patterns }) =>
      ref?.startsWith(prefix) === true && patterns.some((pattern) => matchesPattern(pattern, ref.slice(prefix.length))),
  );
  if (accepted) return undefined;
  const wanted = kinds.flatMap(({ label, patterns }) =>
    patterns.length === 0 ? [] : [`${label} ${patterns.join(" or ")}`],
  );
  const found = ref === undefined ? "the build does not say its branch or tag" : `the build is from ${ref}`;
  return `app ${app} wants ${wanted.join(", or ")}, ${found}`;
}

/** Two different things of one name: nobody can say which of them is meant. */
function conflictOf(app: string, images: readonly TargetImage[], artifacts: readonly Artifact[]): string | undefined {
  for (const { repository } of images) {
    const named = artifacts.filter((artifact) => artifact.repository === repository);
    if (new Set(named.map((artifact) => artifact.digest ?? `:${artifact.tag}`)).size > 1) {
      return `app ${app} cannot tell which image is meant: the build names ${repository} more than once, with different values`;
    }
  }
  return undefined;
}

function valueOf(image: TargetImage, artifacts: readonly Artifact[]): ImageValue {
  const artifact = artifacts.find(({ repository }) => repository === image.repository);
  const value: ImageValue = { name: image.name, repository: image.repository };
  if (artifact?.tag !== undefined) value.tag = artifact.tag;
  if (artifact?.digest !== undefined) value.digest = artifact.digest;
  return value;
}

/** `*` stands for any text, everything else for itself. Takes no longer than pattern times text. */
export function matchesPattern(pattern: string, text: string): boolean {
  let [p, t, star, resume] = [0, 0, -1, 0];
  while (t < text.length) {
    if (pattern[p] === "*") {
      star = p++;
      resume = t;
    } else if (pattern[p] === text[t]) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

function withoutUser(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, "$1");
}
