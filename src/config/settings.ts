import { type AccessRule, type Caller, isAllowed, type Permission } from "../model/access.ts";
import { type AnnotatedState, NOT_ANNOTATED, type RefusedApplication } from "../model/annotated.ts";
import type { BuildReport } from "../model/build.ts";
import { type BuildTasks, DEFAULT_BUILD_TASK } from "../model/build-tasks.ts";
import { type BuildMatches, matchBuild, matcherOf } from "../model/match.ts";
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
  buildTasks(): BuildTasks;
}

/** The configuration, with what annotated Applications add to it; an entry of its own always wins. */
export function settingsOf(configuration: Configuration, state: AnnotatedState = NOT_ANNOTATED): ConfiguredSettings {
  const annotated = annotatedSettings(state);
  const targets = new Map(configuration.targets.map((target) => [target.id, target]));
  const access: readonly AccessRule[] = configuration.access;
  const convention = conventionOf(configuration);
  const tasks = buildTasksOf(configuration, annotated.targets);
  const matchExact = matcherOf(configuration);
  return {
    hash: hashWith(configuration.hash, state.targets),
    targets: () => [...configuration.targets, ...annotated.targets],
    target: (id) => targets.get(id) ?? annotated.target(id) ?? convention?.target(id),
    undecided: (id) => (targets.has(id) ? undefined : annotated.undecided(id)),
    refused: () => state.refused,
    repository: (name) => configuration.repositories.get(name),
    match: (report) => {
      const exact = matchExact(report);
      const all = [exact, ...(convention?.match(report) ?? []), annotated.match(report)];
      return { matches: all.flatMap(({ matches }) => matches), misses: all.flatMap(({ misses }) => misses) };
    },
    allows: (caller, permission) => isAllowed(access, caller, permission),
    buildTasks: () => tasks,
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

/** Annotated Applications, of which not all may be known yet, cannot name a task: for them it is the default. */
function buildTasksOf(configuration: Configuration, annotated: readonly Target[]): BuildTasks {
  const { apps, targets, pattern } = configuration;
  const all = pattern === undefined ? apps : [...apps, pattern.rule];
  const taskOf = new Map(apps.map(({ name, buildTask = DEFAULT_BUILD_TASK }) => [name, buildTask]));
  const byImage = new Map<string, Set<string>>();
  for (const { app, images } of [...targets, ...annotated]) {
    for (const { repository } of images) {
      byImage.set(repository, (byImage.get(repository) ?? new Set()).add(taskOf.get(app) ?? DEFAULT_BUILD_TASK));
    }
  }
  return {
    names: new Set([
      ...all.map(({ buildTask = DEFAULT_BUILD_TASK }) => buildTask),
      ...(configuration.annotated.length > 0 ? [DEFAULT_BUILD_TASK] : []),
    ]),
    takes(repository, task) {
      const exact = byImage.get(repository);
      if (exact !== undefined) return exact.has(task);
      const isOfPattern = pattern !== undefined && nameOfImage(pattern, repository) !== undefined;
      return task === ((isOfPattern ? pattern.rule.buildTask : undefined) ?? DEFAULT_BUILD_TASK);
    },
  };
}

function imagesOf(targets: readonly Target[]): string[] {
  return targets.flatMap(({ images }) => images.map(({ repository }) => repository));
}
