import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../model/errors.ts";
import { usage } from "./edit-intents.ts";

const NAMES = /(?:\.ya?ml|\.json|^Kustomization)$/;
const SKIPPED = new Set([".git", "node_modules"]);
/** As much as the editors take. */
const MAX_BYTES = 1024 * 1024;

/**
 * The YAML and JSON files of a folder and what is in it, by path from there. Links are not followed, and what is no
 * UTF-8 text is left out. Throws `usage` when the folder cannot be read.
 */
export async function readTree(folder: string, signal: AbortSignal): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const queue = [""];
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    signal.throwIfAborted();
    for (const entry of await entriesOf(join(folder, path))) {
      const own = path === "" ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) queue.push(own);
      if (!entry.isFile() || !NAMES.test(entry.name)) continue;
      const text = await textOf(join(folder, own));
      if (text !== undefined) files.set(own, text);
    }
  }
  return files;
}

async function entriesOf(folder: string) {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw usage(
      `${folder} cannot be read: ${messageOf(error)}`,
      "Name the folder of a clone of the GitOps repository.",
    );
  }
}

async function textOf(path: string): Promise<string | undefined> {
  if ((await stat(path)).size > MAX_BYTES) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(path));
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw usage(`${path} cannot be read: ${messageOf(error)}`, "Check its permissions.");
  }
}
