import { posix } from "node:path";
import {
  type ApplicationRef,
  type ApplicationSnapshot,
  type ApplicationSource,
  followsBranch,
  formatApplicationRef,
} from "../model/application.ts";
import { isSameRepository } from "../model/repository-url.ts";

export interface WantedFiles {
  repositoryUrl: string;
  branch: string;
  paths: readonly string[];
}

/** One source of an Application that follows the wanted branch of the wanted repository. */
interface Entry {
  snapshot: ApplicationSnapshot;
  source: ApplicationSource;
  /** Of `source` in the Application. */
  position: number;
}

/**
 * Applications that render each of the files. Per file only the best kind of match counts: an Application whose path is
 * the file's directory, or that names it as a value file; else one whose path contains it; else overlays nested below
 * the file's directory.
 */
export function findApplications(
  snapshots: Iterable<ApplicationSnapshot>,
  wanted: WantedFiles,
): Map<string, ApplicationRef[]> {
  const places = new Places(snapshots, wanted);
  return new Map(
    wanted.paths.map((path) => [path, [...new Set(places.of(path).map(({ snapshot }) => snapshot.ref))]] as const),
  );
}

/** Those that ask to be targets, in the order of their names. */
export function annotatedOf(snapshots: readonly ApplicationSnapshot[]): ApplicationSnapshot[] {
  const asking = snapshots.filter(({ annotated }) => annotated !== undefined);
  const keyed = asking.map((snapshot) => ({ snapshot, key: formatApplicationRef(snapshot.ref) }));
  return keyed.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ snapshot }) => snapshot);
}

/** Positions of the Application's sources that render one of the files. */
export function sourcesOf(snapshot: ApplicationSnapshot, wanted: WantedFiles): number[] {
  const places = new Places([snapshot], wanted);
  const found = new Set(wanted.paths.flatMap((path) => places.of(path).map(({ position }) => position)));
  return [...found].toSorted((a, b) => a - b);
}

/** Thousands of sources by what they render, so that thousands of files are found in one go. */
class Places {
  readonly #byDirectory = new Map<string, Entry[]>();
  readonly #byValueFile = new Map<string, Entry[]>();

  constructor(snapshots: Iterable<ApplicationSnapshot>, wanted: WantedFiles) {
    const same = new Map<string, boolean>();
    const isWanted = (url: string): boolean => {
      const known = same.get(url) ?? isSameRepository(url, wanted.repositoryUrl);
      same.set(url, known);
      return known;
    };
    for (const snapshot of snapshots) {
      for (const [position, source] of snapshot.sources.entries()) {
        if (source.chart !== undefined || !isWanted(source.repoURL)) continue;
        if (followsBranch(source.targetRevision, wanted.branch)) this.#add({ snapshot, source, position });
      }
    }
  }

  of(file: string): Entry[] {
    const directory = cleanDirectory(posix.dirname(file));
    const named = this.#byValueFile.get(file) ?? [];
    const exact = (this.#byDirectory.get(directory) ?? []).filter(({ source }) => !ignoresValueFile(source, file));
    if (named.length + exact.length > 0) return [...new Set([...named, ...exact])];
    const above = parentsOf(directory).flatMap((parent) => this.#byDirectory.get(parent) ?? []);
    // From the repository's root everything is "below": that would claim every Application.
    if (above.length > 0 || directory === "") return above;
    return [...this.#byDirectory].flatMap(([path, entries]) => (path.startsWith(`${directory}/`) ? entries : []));
  }

  #add(entry: Entry): void {
    const { snapshot, source } = entry;
    const add = (map: Map<string, Entry[]>, key: string): void => {
      const entries = map.get(key);
      if (entries === undefined) map.set(key, [entry]);
      else entries.push(entry);
    };
    // Another source's value file `$ref/path/in/this/repository.yaml`.
    const prefix = source.ref === undefined ? undefined : `$${source.ref}/`;
    for (const value of snapshot.sources.flatMap(({ valueFiles }) => valueFiles ?? [])) {
      if (prefix !== undefined && value.startsWith(prefix)) add(this.#byValueFile, value.slice(prefix.length));
    }
    if (source.path === undefined) return;
    const path = cleanDirectory(source.path);
    add(this.#byDirectory, path);
    for (const value of source.valueFiles ?? []) {
      if (!value.startsWith("$")) add(this.#byValueFile, resolveValueFile(value, path));
    }
  }
}

/** From the nearest to the root, which is "". */
function parentsOf(directory: string): string[] {
  if (directory === "") return [];
  const parts = directory.split("/");
  return parts.map((_, index) => parts.slice(0, parts.length - 1 - index).join("/"));
}

/** A YAML file right in the chart other than the default values: rendered only when the Application names it. */
function ignoresValueFile({ path, valueFiles }: ApplicationSource, file: string): boolean {
  if (valueFiles === undefined || cleanDirectory(posix.dirname(file)) !== cleanDirectory(path ?? "")) return false;
  const name = posix.basename(file);
  return /\.ya?ml$/.test(name) && name !== "values.yaml" && name !== "Chart.yaml";
}

/** Relative to the chart's path; with a leading slash to the repository's root. */
function resolveValueFile(value: string, chartPath: string): string {
  return value.startsWith("/") ? cleanDirectory(value) : cleanDirectory(posix.join(chartPath, value));
}

function cleanDirectory(path: string): string {
  const clean = posix.normalize(path).replace(/^\/+|\/+$/g, "");
  return clean === "." ? "" : clean;
}
