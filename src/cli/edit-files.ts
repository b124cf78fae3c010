import { open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import process from "node:process";
import { messageOf } from "../model/errors.ts";
import { usage } from "./edit-intents.ts";
import type { Io } from "./io.ts";

export interface EditableFile {
  /** As the command line has it. */
  name: string;
  text: string;
  /** Where it really lies; absent for standard input. */
  path?: string;
}

/** Reads a file, or standard input for `-`. Throws `usage` for what is no UTF-8 text file. */
export async function readEditable(io: Io, name: string): Promise<EditableFile> {
  if (name === "-") {
    const chunks: Uint8Array[] = [];
    for await (const chunk of io.inputBytes()) chunks.push(chunk);
    return { name: "stdin", text: decode("stdin", Buffer.concat(chunks)) };
  }
  try {
    const path = await realpath(name);
    if (!(await stat(path)).isFile()) throw usage(`${name} is no file`, "Name the YAML file itself.");
    return { name, path, text: decode(name, await readFile(path)) };
  } catch (error) {
    if (error instanceof Error && !("syscall" in error)) throw error;
    throw usage(`${name} cannot be read: ${messageOf(error)}`, "Check the path and its permissions.");
  }
}

/** A byte order mark is part of the file and stays in it. */
function decode(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw usage(`${name} is not UTF-8 text`, "Save it as UTF-8.");
  }
}

/**
 * Replaces a file in one step: readers see the old or the new content, a crash leaves one of them. Mode and owner stay.
 * A symbolic link is followed only as long as the file lies in the working directory, or beside the link. Throws `usage`.
 */
export async function writeEditable({ name, path }: EditableFile, text: string): Promise<void> {
  if (path === undefined) return;
  const within = await homeOf(name);
  if (!isInside(within, path)) {
    throw usage(`${name} leads out of ${within} to ${path}`, "Name the file itself if it is the one to change.");
  }
  const { mode, uid, gid } = await stat(path);
  const temporary = join(dirname(path), `.${basename(path)}.gitspan-${process.pid}`);
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(text);
      await file.chmod(mode);
      if (process.getuid?.() === 0) await file.chown(uid, gid);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw usage(`${name} cannot be written: ${messageOf(error)}`, "Check the permissions of its folder.");
  }
}

async function homeOf(name: string): Promise<string> {
  const here = process.cwd();
  return realpath(isInside(here, resolve(name)) ? here : dirname(resolve(name)));
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`);
}
