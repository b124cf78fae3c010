import { posix } from "node:path";
import type { ApplicationRef, ApplicationSnapshot, ApplicationSource } from "../model/application.ts";
import { isSameRepository } from "../model/repository-url.ts";

export interface WantedFiles {
  repositoryUrl: string;
  branch: string;
  paths: readonly string[];
}

/** How a source holds a file: `exact` beats `inside` beats `nested`; 0 means not at all. */
const NOT = 0;
const NESTED = 1;
const INSIDE = 2;
const EXACT = 3;

/**
 * Applications that render one of the files. Per file only the best kind of match counts: an Application whose path is
 * the file's directory; else one whose path contains the file; else overlays nested below the file's directory.
 */
export function findApplications(snapshots: Iterable<ApplicationSnapshot>, wanted: WantedFiles): ApplicationRef[] {
  const all = [...snapshots];
  const found = new Set<ApplicationSnapshot>();
  for (const path of wanted.paths) {
    const graded = all.map((snapshot) => ({ snapshot, grade: gradeOf(snapshot, wanted, path) }));
    const best = Math.max(NOT, ...graded.map(({ grade }) => grade));
    if (best === NOT) continue;
    for (const { snapshot, grade } of graded) if (grade === best) found.add(snapshot);
  }
  return all.filter((snapshot) => found.has(snapshot)).map(({ ref }) => ref);
}

/** Positions of the Application's sources that render one of the files. */
export function sourcesOf(snapshot: ApplicationSnapshot, wanted: WantedFiles): number[] {
  return snapshot.sources.flatMap((source, index) =>
    wanted.paths.some((path) => sourceGrade(snapshot.sources, source, wanted, path) > NOT) ? [index] : [],
  );
}

function gradeOf(snapshot: ApplicationSnapshot, wanted: WantedFiles, path: string): number {
  return Math.max(NOT, ...snapshot.sources.map((source) => sourceGrade(snapshot.sources, source, wanted, path)));
}

function sourceGrade(
  sources: readonly ApplicationSource[],
  source: ApplicationSource,
  wanted: WantedFiles,
  file: string,
): number {
  if (source.chart !== undefined) return NOT;
  if (!isSameRepository(source.repoURL, wanted.repositoryUrl)) return NOT;
  if (!followsBranch(source.targetRevision, wanted.branch)) return NOT;
  if (source.ref !== undefined && isReferenced(sources, source.ref, file)) return EXACT;
  if (source.path === undefined) return NOT;
  return pathGrade(source, file);
}

/** Empty and HEAD mean the default branch, which the caller's branch is assumed to be. */
function followsBranch(targetRevision: string | undefined, branch: string): boolean {
  if (targetRevision === undefined || targetRevision === "HEAD") return true;
  return targetRevision === branch || targetRevision === `refs/heads/${branch}`;
}

/** Another source's value file `$ref/path/in/this/repository.yaml`. */
function isReferenced(sources: readonly ApplicationSource[], ref: string, file: string): boolean {
  return sources.some((other) => other.valueFiles?.some((value) => value === `$${ref}/${file}`) ?? false);
}

function pathGrade(source: ApplicationSource, file: string): number {
  const path = cleanDirectory(source.path ?? "");
  const directory = cleanDirectory(posix.dirname(file));
  if (source.valueFiles !== undefined && isValueFile(file, directory, path)) {
    return source.valueFiles.some((value) => resolveValueFile(value, path) === file) ? EXACT : NOT;
  }
  if (path === directory) return EXACT;
  if (isBelow(directory, path)) return INSIDE;
  // From the repository's root everything is "below": that would claim every Application.
  return directory !== "" && isBelow(path, directory) ? NESTED : NOT;
}

/** A YAML file right in the chart other than the default values: rendered only when the Application names it. */
function isValueFile(file: string, directory: string, chartPath: string): boolean {
  const name = posix.basename(file);
  return directory === chartPath && /\.ya?ml$/.test(name) && name !== "values.yaml" && name !== "Chart.yaml";
}

/** Relative to the chart's path; with a leading slash to the repository's root. */
function resolveValueFile(value: string, chartPath: string): string {
  return value.startsWith("/") ? cleanDirectory(value) : cleanDirectory(posix.join(chartPath, value));
}

function isBelow(path: string, parent: string): boolean {
  return parent === "" || path.startsWith(`${parent}/`);
}

function cleanDirectory(path: string): string {
  const clean = posix.normalize(path).replace(/^\/+|\/+$/g, "");
  return clean === "." ? "" : clean;
}
