import { readFile, stat } from "node:fs/promises";
import { GitspanError } from "../model/errors.ts";
import type { Configuration } from "./configuration.ts";
import { loadConfiguration } from "./load.ts";

const MAX_BYTES = 4 * 1024 * 1024;

/** Reads and loads a file. Throws `config-unreadable` when there is none to read, else as `loadConfiguration`. */
export async function readConfiguration(file: string): Promise<Configuration> {
  return loadConfiguration(await textOf(file), file);
}

async function textOf(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`);
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GitspanError("config-unreadable", `the configuration ${file} cannot be read: ${reason}`, {
      cause,
      hint: "Give the path of a YAML file that the process may read.",
    });
  }
}
