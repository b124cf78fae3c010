import type { AnnotatedState, AnnotatedTarget, AnnotationRules } from "../model/annotated.ts";
import type { Artifact, BuildReport } from "../model/build.ts";
import { GitspanError } from "../model/errors.ts";
import { type BuildMatches, matchBuild, takesSource } from "../model/match.ts";
import type { Target } from "../model/target.ts";
import type { Configuration } from "./configuration.ts";

type MatchedReport = Pick<BuildReport, "artifacts"> & Partial<Pick<BuildReport, "source">>;

/** A build that nearly matches thousands is told of so many. */
const MAX_MISSES = 10;

/** What of a configuration decides about annotated Applications. */
export function annotationRules({ annotated, argocd, repositories, targets }: Configuration): AnnotationRules {
  return { rules: annotated, clusters: [...argocd.keys()], repositories: [...repositories.values()], targets };
}

/** What annotated Applications add to a configuration. */
export interface AnnotatedSettings {
  targets: readonly Target[];
  target(id: string): Target | undefined;
  undecided(id: string): string | undefined;
  match(report: MatchedReport): BuildMatches;
}

export function annotatedSettings({ complete, targets, refused, undecided }: AnnotatedState): AnnotatedSettings {
  const byId = new Map(targets.map(({ target }) => [target.id, target]));
  const open = new Map(undecided.map((one) => [one.id, one]));
  const takers = byImage(targets, ({ target }) => target.images.map(({ repository }) => repository));
  const barred = byImage(refused, ({ images }) => images);
  const waiting = byImage(undecided, ({ images }) => images);
  return {
    targets: [...byId.values()],
    target: (id) => byId.get(id),
    undecided: (id) => (complete ? open.get(id)?.why : NOT_LISTED),
    match(report) {
      if (!complete) throw unknown(NOT_LISTED);
      const { source } = report;
      const unsure = ofBuild(waiting, report.artifacts).find(({ from }) => !source || takesSource(from, source));
      if (unsure !== undefined) throw unknown(unsure.why);
      const results = ofBuild(takers, report.artifacts).map((taker) => matchOne(taker, report));
      const misses = results.flatMap((result) => result.misses);
      misses.push(...ofBuild(barred, report.artifacts).map(({ message, hint }) => `${message}. ${hint}`));
      const more =
        misses.length > MAX_MISSES ? [`${misses.length - MAX_MISSES} more annotated Applications did not`] : [];
      return { matches: results.flatMap(({ matches }) => matches), misses: [...misses.slice(0, MAX_MISSES), ...more] };
    },
  };
}

const NOT_LISTED = "Argo CD has not told its Applications yet, and annotated ones may be targets";

function unknown(why: string): GitspanError {
  return new GitspanError("targets-unknown", `the targets of this build are not all known yet: ${why}`, {
    hint: "It is looked at again by itself: send the build again soon; see /readyz?verbose and the log.",
    transient: true,
  });
}

function matchOne({ target, from }: AnnotatedTarget, report: MatchedReport): BuildMatches {
  const result = matchBuild({ apps: [{ name: target.app, from }], targets: [target] }, report);
  const { misplaced } = target;
  if (misplaced === undefined || result.matches.length === 0) return result;
  const hint = misplaced.hint === undefined ? "" : `. ${misplaced.hint}`;
  return { matches: [], misses: [`${target.id} cannot be written: ${misplaced.message}${hint}`] };
}

function byImage<T>(all: readonly T[], imagesOf: (one: T) => readonly string[]): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const one of all) {
    for (const image of imagesOf(one)) {
      const known = found.get(image);
      if (known === undefined) found.set(image, [one]);
      else known.push(one);
    }
  }
  return found;
}

function ofBuild<T>(by: ReadonlyMap<string, T[]>, artifacts: readonly Artifact[]): T[] {
  return [...new Set(artifacts.flatMap(({ repository }) => by.get(repository) ?? []))];
}
