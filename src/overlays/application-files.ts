import type { Node } from "yaml";
import type { SourceFolder } from "../model/application.ts";
import { GitspanError, isGitspanError } from "../model/errors.ts";
import type { Place } from "../model/target.ts";
import { type DiscoveredPlace, discover } from "./discover.ts";
import { findSites } from "./formats.ts";
import { isKustomization } from "./kustomize-entries.ts";
import { folderOf, joinPath, leadsFrom, rendered, type Tree } from "./leads.ts";
import { valueAt } from "./place.ts";
import { parseSource } from "./source.ts";

/** A source of an Application, in a repository that is written. */
export interface SourceFiles extends SourceFolder {
  /** The Application's name: `.argocd-source-<name>.yaml` is read for it alone. */
  application: string;
}

export interface WrittenPlace {
  place: Place;
  file: string;
}

/** The files of one source that were read; what it renders from elsewhere is no file of it. */
export type ReadFiles = ReadonlyMap<string, string>;

/** The folder from the root; `undefined` where it leads out of the repository, or there is none. */
export function folderOfSource({ path }: Pick<SourceFiles, "path">): string | undefined {
  return path === undefined ? undefined : plainPath("", path);
}

/** Value files from the root, in order, those that lead out of the repository left out. */
export function valueFilesOf(source: SourceFolder): string[] {
  const folder = folderOfSource(source) ?? "";
  return source.valueFiles.flatMap((file) => plainPath(folder === "" ? "" : `${folder}/`, file) ?? []);
}

/** What no repository should hold (git's own fsck refuses it) is not asked for. */
function plainPath(folder: string, text: string): string | undefined {
  const path = joinPath(folder, text);
  return path === undefined || /\0|(?:^|\/)(?:\.git|git~1)[. ]*(?:\/|$)/i.test(path) ? undefined : path;
}

/** What Argo CD reads first: `tree` holds the files of the source's folder. */
export function firstFiles(source: SourceFiles, tree: Tree): string[] {
  const folder = folderOfSource(source);
  const own = folder === undefined ? [] : rendered(folder, tree);
  const isPlain = !own.some((file) => isKustomization(file) || isDefaultValues(file));
  const all = source.recurse === true && isPlain ? [...tree.files] : own;
  const overrides = overridesOf(source);
  return [
    ...all.filter((file) => /\.(?:ya?ml|json)$|(?:^|\/)Kustomization$/.test(file) && !OVERRIDES.test(file)),
    ...valueFilesOf(source),
    ...(overrides !== undefined && tree.files.has(overrides) ? [overrides] : []),
  ];
}

const OVERRIDES = /(?:^|\/)\.argocd-source(?:-[^/]*)?\.yaml$/;

/** Files of the same folder that a file leads to; none for one that cannot be read. */
export function furtherFiles(file: string, text: string, tree: Tree): string[] {
  if (!isKustomization(file)) return [];
  try {
    return leadsFrom(parseSource(text, file), tree).flatMap(({ to, as }) => (as === "remote" ? [] : [to]));
  } catch (error) {
    if (isGitspanError(error)) return [];
    throw error;
  }
}

/**
 * Where the source says which of the image's versions runs. Throws `edit-not-found` when no file of it does,
 * `edit-ambiguous` when it is not certain which one counts, and `edit-parse` for a file that may be it and cannot be read.
 */
export function placesOfImage(source: SourceFiles, files: ReadFiles, image: string): WrittenPlace[] {
  const { places, unread } = discover(files, image);
  const [broken] = unread;
  if (broken !== undefined) {
    throw new GitspanError("edit-parse", `${broken.file} cannot be read: ${broken.reason}`, {
      hint: "Repair the file, or name the right one in an app of the configuration.",
    });
  }
  const chosen = chosenOf(source, files, places, image);
  if (chosen.length === 0) throw notFound(source, files, image);
  return chosen.map(({ place, file }) => ({ place: { ...place, image }, file }));
}

function chosenOf(
  source: SourceFiles,
  files: ReadFiles,
  places: readonly DiscoveredPlace[],
  image: string,
): DiscoveredPlace[] {
  const inFile = (file: string | undefined) => places.filter((place) => place.file === file);
  const overrides = inFile(overridesOf(source));
  if (overrides.length > 0) return overrides;
  const values = valuesInOrder(source, files);
  if (values.length > 0) {
    const found = values.findLast((file) => inFile(file).length > 0);
    if (found !== undefined) refuseHidden(files, { found, later: values.slice(values.indexOf(found) + 1), image });
    return inFile(found);
  }
  const folder = folderOfSource(source);
  // The transformer of the outermost kustomization has the last word.
  const lists = places.filter(({ place }) => place.format === "kustomize");
  const own = lists.filter(({ file }) => folderOf(file) === folder);
  if (own.length > 0) return own;
  const others = places.filter(({ place }) => place.format !== "argocd");
  if (lists.length === 0 || others.length === 1) return others;
  const where = [...new Set(others.map(({ file }) => file))].join(", ");
  throw new GitspanError("edit-ambiguous", `${where} say which ${image} runs`, {
    hint: `Add an entry for it to images of the kustomization in ${folder === "" ? "the root" : folder}, which has the last word.`,
  });
}

/** The chart's own values, then those that the Application names: the last one counts. None where kustomize renders. */
function valuesInOrder(source: SourceFiles, files: ReadFiles): string[] {
  if (kustomizationOf(source, files) !== undefined) return [];
  const named = valueFilesOf(source).filter((file) => files.has(file));
  const own = [...files.keys()].filter((file) => isDefaultValues(file) && folderOf(file) === folderOfSource(source));
  return [...own.filter((file) => !named.includes(file)), ...named];
}

function kustomizationOf(source: SourceFiles, files: ReadFiles): string | undefined {
  return [...files.keys()].find((file) => isKustomization(file) && folderOf(file) === folderOfSource(source));
}

/** A later values file that has the tag alone decides, and does not say of which image. */
function refuseHidden(
  files: ReadFiles,
  { found, later, image }: { found: string; later: readonly string[]; image: string },
): void {
  const sites = findSites(parseSource(files.get(found) ?? "", found), "helm", image);
  const slots = sites.flatMap(({ reference, tag, digest }) =>
    [reference, tag, digest].filter((one) => one !== undefined),
  );
  for (const file of later) {
    const [document] = parseSource(files.get(file) ?? "", file).documents;
    if (!slots.some(({ path }) => has(document?.contents, path))) continue;
    throw new GitspanError("edit-ambiguous", `${file} takes the place of what ${found} says of ${image}`, {
      hint: `Write the image's repository beside its tag in ${file}, or name the value in an app of the configuration.`,
    });
  }
}

function has(root: Node | null | undefined, path: readonly unknown[]): boolean {
  let node: Node | null = root ?? null;
  for (const step of path) node = valueAt(node, String(step));
  return node !== null;
}

function overridesOf(source: SourceFiles): string | undefined {
  const folder = folderOfSource(source);
  if (folder === undefined) return undefined;
  return `${folder === "" ? "" : `${folder}/`}.argocd-source-${source.application}.yaml`;
}

function isDefaultValues(file: string): boolean {
  return /(?:^|\/)values\.ya?ml$/.test(file);
}

function notFound(source: SourceFiles, files: ReadFiles, image: string): GitspanError {
  const folder = folderOfSource(source);
  const kustomization = kustomizationOf(source, files);
  const hint =
    kustomization === undefined
      ? "Write the image there, or name its file in an app of the configuration."
      : `Add to ${kustomization}: images: [{name: ${image}, newTag: "..."}].`;
  const where =
    folder === undefined ? valueFilesOf(source).join(", ") : folder === "" ? "the repository's root" : folder;
  return new GitspanError(
    "edit-not-found",
    `no file that the Application renders from ${where} says which ${image} runs`,
    {
      hint,
    },
  );
}
