import { type AccessRule, type Caller, isAllowed, type Permission } from "../model/access.ts";
import { type AnnotatedState, NOT_ANNOTATED, type RefusedApplication } from "../model/annotated.ts";
import type { BuildReport } from "../model/build.ts";
import { type BuildMatches, matchBuild } from "../model/match.ts";
import { appOfPattern, nameOfImage, type PatternApp } from "../model/pattern.ts";
import type { Target } from "../model/target.ts";
import { annotatedSettings } from "./annotated-settings.ts";
import type { Configuration, RepositoryConfiguration } from "./configuration.ts";
import { hashWith } from "./hash.ts";

type MatchedReport = Pick<BuildReport, "artifacts"> & Partial<Pick<BuildReport, "source">>;

/** What the application asks a configuration; satisfies its `Settings` port. */
export interface ConfiguredSettings {
  hash: string;
  targets(): readonly Target[];
  target(id: string): Target | undefined;
  undecided(id: string): string | undefined;
  refused(): readonly RefusedApplication[];
  repository(name: string): RepositoryConfiguration | undefined;
  match(report: MatchedReport): BuildMatches;
  allows(caller: Caller, permission: Permission): boolean;
}

/** The configuration, with what annotated Applications add to it; an entry of its own always wins. */
export function settingsOf(configuration: Configuration, state: AnnotatedState = NOT_ANNOTATED): ConfiguredSettings {
  const annotated = annotatedSettings(state);
  const targets = new Map(configuration.targets.map((target) => [target.id, target]));
  const access: readonly AccessRule[] = configuration.access;
  const convention = conventionOf(configuration);
  return {
    hash: hashWith(configuration.hash, state.targets),
    targets: () => [...configuration.targets, ...annotated.targets],
    target: (id) => targets.get(id) ?? annotated.target(id) ?? convention?.target(id),
    undecided: (id) => (targets.has(id) ? undefined : annotated.undecided(id)),
    refused: () => state.refused,
    repository: (name) => configuration.repositories.get(name),
    match: (report) => {
      const exact = matchBuild(configuration, report);
      const all = [exact, ...(convention?.match(report) ?? []), annotated.match(report)];
      return { matches: all.flatMap(({ matches }) => matches), misses: all.flatMap(({ misses }) => misses) };
    },
    allows: (caller, permission) => isAllowed(access, caller, permission),
  };
}

/** Apps made of it are remembered; names come with builds, so not without end. */
const MAX_APPS = 10_000;

/** What the configuration's pattern makes of names. An exact entry has its name and its images to itself. */
function conventionOf({ pattern, apps, targets }: Configuration) {
  if (pattern === undefined) return undefined;
  const taken = { names: new Set(apps.map(({ name }) => name)), images: new Set(imagesOf(targets)) };
  const made = new Map<string, PatternApp | undefined>();
  const appOf = (name: string): PatternApp | undefined => {
    if (taken.names.has(name)) return undefined;
    if (made.size > MAX_APPS) made.clear();
    if (!made.has(name)) made.set(name, appOfPattern(pattern, name));
    return made.get(name);
  };
  return {
    target: (id: string): Target | undefined =>
      appOf(id.slice(0, id.indexOf("/")))?.targets.find((target) => target.id === id),
    match(report: MatchedReport): BuildMatches[] {
      const free = report.artifacts.filter(({ repository }) => !taken.images.has(repository));
      const names = new Set(free.flatMap(({ repository }) => nameOfImage(pattern, repository) ?? []));
      return [...names].flatMap((name) => {
        const app = appOf(name);
        return app === undefined ? [] : [matchBuild({ apps: [app.rule], targets: app.targets }, report)];
      });
    },
  };
}

function imagesOf(targets: readonly Target[]): string[] {
  return targets.flatMap(({ images }) => images.map(({ repository }) => repository));
}
