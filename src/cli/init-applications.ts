import { followsBranch, type SeenApplication, sourceFolder } from "../model/application.ts";
import { isGitspanError } from "../model/errors.ts";
import { isRepository } from "../model/image.ts";
import { repositoryKey } from "../model/repository-url.ts";
import type { Place } from "../model/target.ts";
import {
  firstFiles,
  folderOfSource,
  furtherFiles,
  placesOfImage,
  type SourceFiles,
} from "../overlays/application-files.ts";
import { discover } from "../overlays/discover.ts";
import { treeOf } from "../overlays/leads.ts";
import { ANYWHERE, environmentIn, type Origin } from "./init-words.ts";

/** An Application that renders files of the clone, and where they say which images run. */
export interface InitApplication {
  /** `namespace/name` */
  ref: string;
  app: string;
  environment: string;
  places: Map<string, Place[]>;
}

export interface InitApplications {
  applications: InitApplication[];
  /** The repository's address as the Applications have it. */
  url: string | undefined;
  /** What is left for people to look at. */
  remarks: string[];
}

type Files = ReadonlyMap<string, string>;

/** What the Applications of an Argo CD tell of a clone: those that follow its repository and branch. */
export function applicationsOf(files: Files, seen: readonly SeenApplication[], origin: Origin): InitApplications {
  const own = seen
    .map((application) => ({ application, sources: sourcesOf(files, application, origin) }))
    .filter(({ sources }) => sources.length > 0);
  // Without a clone's origin: the repository that most of them have files in.
  const byUrl = Map.groupBy(
    own.flatMap(({ sources }) => sources),
    ({ url }) => repositoryKey(url),
  );
  const [most] = [...byUrl.values()].toSorted((a, b) => b.length - a.length);
  const url = most?.[0]?.url;
  const key = url === undefined ? undefined : repositoryKey(url);
  const result: InitApplications = { applications: [], url, remarks: [] };
  for (const { application, sources } of own.toSorted((a, b) =>
    nameOf(a.application) < nameOf(b.application) ? -1 : 1,
  )) {
    const places = new Map<string, Place[]>();
    for (const source of sources.filter((one) => repositoryKey(one.url) === key))
      result.remarks.push(...addPlaces(places, files, source.files, nameOf(application)));
    if (places.size > 0) result.applications.push({ ref: nameOf(application), places, ...wordsOf(application) });
  }
  return result;
}

function nameOf({ namespace, name }: SeenApplication): string {
  return `${namespace}/${name}`;
}

function sourcesOf(
  files: Files,
  { name, sources }: SeenApplication,
  origin: Origin,
): { url: string; files: SourceFiles }[] {
  return sources.flatMap((source) => {
    const folder = sourceFolder(source, sources);
    const isHere = origin.url === undefined || repositoryKey(source.repoURL) === repositoryKey(origin.url);
    const isFollowed = origin.branch === undefined || followsBranch(source.targetRevision, origin.branch);
    if (folder === undefined || !isHere || !isFollowed) return [];
    const own = { ...folder, application: name };
    return firstFiles(own, treeBelow(files, own)).some((file) => files.has(file))
      ? [{ url: source.repoURL, files: own }]
      : [];
  });
}

function treeBelow(files: Files, source: SourceFiles) {
  const folder = folderOfSource(source);
  if (folder === undefined) return treeOf([]);
  return treeOf([...files.keys()].filter((file) => folder === "" || file.startsWith(`${folder}/`)));
}

/** Adds what one source says of each image; gives what cannot be told for certain. */
function addPlaces(places: Map<string, Place[]>, files: Files, source: SourceFiles, name: string): string[] {
  const tree = treeBelow(files, source);
  const read = new Map<string, string>();
  for (let open = firstFiles(source, tree); open.length > 0; ) {
    const next: string[] = [];
    for (const file of open) {
      const text = files.get(file);
      if (text === undefined || read.has(file)) continue;
      read.set(file, text);
      next.push(...furtherFiles(file, text, tree));
    }
    open = next;
  }
  const images = new Set(discover(read).places.map(({ image }) => image));
  return [...images].filter(isRepository).flatMap((image) => {
    try {
      const found = placesOfImage(source, read, image).map(({ place }) => place);
      places.set(image, [...(places.get(image) ?? []), ...found]);
      return [];
    } catch (error) {
      if (!isGitspanError(error)) throw error;
      return [`Application ${name}: ${error.message}. ${error.hint ?? ""}`.trimEnd()];
    }
  });
}

/** The Application's name without the word for an environment that it, its folder, namespace or cluster has. */
function wordsOf({ name, project, sources, destination }: SeenApplication): { app: string; environment: string } {
  const paths = sources.flatMap(({ path }) => path ?? []);
  const texts = [name, ...paths, destination.namespace, destination.cluster, project];
  const environment = texts.map(environmentIn).find((word) => word !== undefined) ?? ANYWHERE;
  const parts = name.split(/[-_.]/).filter((part) => part !== "");
  const others = parts.filter((part) => part !== environment);
  return { app: (others.length === 0 ? parts : others).join("-").toLowerCase().slice(0, 63), environment };
}
