import type { Clock } from "../model/ambient.ts";
import { type GitspanError, isGitspanError } from "../model/errors.ts";
import type { Oid } from "../model/git.ts";
import type { Misplaced } from "../model/target.ts";
import {
  firstFiles,
  folderOfSource,
  furtherFiles,
  placesOfImage,
  type SourceFiles,
  type WrittenPlace,
} from "../overlays/application-files.ts";
import { treeOf } from "../overlays/leads.ts";
import { decode } from "./places.ts";
import { editRefusal } from "./plan.ts";
import type { GitRepository } from "./ports.ts";

/** What an Application renders from one repository, and the images that it says are its own. */
export interface Wanted {
  source: SourceFiles;
  images: readonly string[];
}

/** Where each image is written, or why nobody can say. */
export type Found = ReadonlyMap<string, WrittenPlace[] | Misplaced>;

/** Files of one Application's source that are read, and how deep kustomizations may lead. */
const MAX_FILES = 500;
const MAX_DEPTH = 20;
/** Paths of one reading, and sources that are looked through in one go: others have to get their turn. */
const BATCH = 500;
const TURN = 20;

interface Reading {
  wanted: Wanted;
  files: Map<string, string>;
  tree: ReturnType<typeof treeOf>;
  open: string[];
  problem?: Misplaced;
}

/** Finds the places of all these images at a commit. Rejects when the repository cannot be read. */
export async function findPlaces<K>(
  deps: { git: Pick<GitRepository, "listFiles" | "readFiles">; clock: Clock },
  input: { commit: Oid; wanted: ReadonlyMap<K, Wanted> },
  signal: AbortSignal,
): Promise<Map<K, Found>> {
  const readings = await readAll(deps, { commit: input.commit, all: [...input.wanted.values()] }, signal);
  const found = new Map<K, Found>();
  for (const [index, [key, { images }]] of [...input.wanted].entries()) {
    const reading = readings[index];
    if (reading === undefined) continue;
    if (index % TURN === TURN - 1) await deps.clock.sleep(0, signal);
    found.set(key, new Map(images.map((image) => [image, reading.problem ?? placesIn(reading, image)])));
  }
  return found;
}

function placesIn({ wanted, files }: Reading, image: string): WrittenPlace[] | Misplaced {
  try {
    return placesOfImage(wanted.source, files, image);
  } catch (error) {
    return misplaced(error);
  }
}

async function readAll(
  { git, clock }: Parameters<typeof findPlaces>[0],
  { commit, all }: { commit: Oid; all: readonly Wanted[] },
  signal: AbortSignal,
): Promise<Reading[]> {
  const folders = all.flatMap(({ source }) => folderOfSource(source) ?? []);
  const listed = await git.listFiles(commit, folders, signal);
  const readings = all.map((wanted) => begin(wanted, listed));
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const paths = [...new Set(readings.flatMap(({ open }) => open))];
    if (paths.length === 0) break;
    const texts = new Map<string, string | Misplaced>();
    for (let at = 0; at < paths.length; at += BATCH) {
      for (const [path, text] of await readTexts(git, { commit, paths: paths.slice(at, at + BATCH) }, signal))
        texts.set(path, text);
    }
    for (const [index, reading] of readings.entries()) {
      if (index % TURN === TURN - 1) await clock.sleep(0, signal);
      goOn(reading, texts);
    }
  }
  return readings;
}

function begin(wanted: Wanted, listed: ReadonlyMap<string, string[]>): Reading {
  const folder = folderOfSource(wanted.source);
  const files = folder === undefined ? [] : listed.get(folder);
  const tree = treeOf(files ?? []);
  const reading: Reading = { wanted, files: new Map(), tree, open: [] };
  if (files !== undefined) return { ...reading, open: firstFiles(wanted.source, tree) };
  const message = `${folder === "" ? "the repository's root" : folder} has too many files to look through`;
  return { ...reading, problem: { code: "edit-too-large", message, hint: BY_HAND } };
}

const BY_HAND = "Name the file in an app of the configuration.";

function goOn(reading: Reading, texts: ReadonlyMap<string, string | Misplaced>): void {
  const next: string[] = [];
  for (const path of reading.open) {
    const text = texts.get(path);
    if (text === undefined || reading.files.has(path)) continue;
    if (typeof text !== "string") {
      reading.problem ??= text;
      continue;
    }
    reading.files.set(path, text);
    next.push(...furtherFiles(path, text, reading.tree));
  }
  reading.open = reading.problem === undefined ? next.filter((path) => !reading.files.has(path)) : [];
  if (reading.files.size + reading.open.length <= MAX_FILES) return;
  const message = `the Application renders more than ${MAX_FILES} files`;
  reading.problem ??= { code: "edit-too-large", message, hint: BY_HAND };
  reading.open = [];
}

/** Of a file that may not be read, or is no text, why; the others are read all the same. */
async function readTexts(
  git: Pick<GitRepository, "readFiles">,
  { commit, paths }: { commit: Oid; paths: readonly string[] },
  signal: AbortSignal,
): Promise<Map<string, string | Misplaced>> {
  try {
    const texts = new Map<string, string | Misplaced>();
    for (const [path, bytes] of await git.readFiles(commit, paths, signal)) texts.set(path, textOf(path, bytes));
    return texts;
  } catch (error) {
    const [only, second] = paths;
    if (editRefusal(error) === undefined) throw error;
    if (only !== undefined && second === undefined) return new Map([[only, misplaced(error)]]);
    const half = Math.ceil(paths.length / 2);
    const first = await readTexts(git, { commit, paths: paths.slice(0, half) }, signal);
    const rest = await readTexts(git, { commit, paths: paths.slice(half) }, signal);
    return new Map([...first, ...rest]);
  }
}

function textOf(path: string, bytes: Uint8Array): string | Misplaced {
  try {
    return decode(path, bytes);
  } catch (error) {
    return misplaced(error);
  }
}

function misplaced(error: unknown): Misplaced {
  if (!isGitspanError(error)) throw error;
  const { code, message, hint } = error;
  if (!isOfFiles(code)) throw error;
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

function isOfFiles(code: GitspanError["code"]): code is Misplaced["code"] {
  return code.startsWith("edit-") || code.startsWith("git-");
}
