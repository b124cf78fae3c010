import { readFile, stat, watch } from "node:fs/promises";
import { dirname } from "node:path";
import { GitspanError } from "../model/errors.ts";
import type { Configuration } from "./configuration.ts";
import { loadConfiguration } from "./load.ts";

const MAX_BYTES = 4 * 1024 * 1024;

/** Reads and loads a file. Throws `config-unreadable` when there is none to read, else as `loadConfiguration`. */
export async function readConfiguration(file: string): Promise<Configuration> {
  return loadConfiguration(await readConfigurationText(file), file);
}

/** Throws `config-unreadable` for what is not there, too large or not UTF-8. */
export async function readConfigurationText(file: string): Promise<string> {
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

/** Yields when something happens in the file's folder: a ConfigMap is updated by moving a link beside it. */
export function configurationHints(file: string, signal: AbortSignal): AsyncIterable<unknown> {
  return watch(dirname(file), { signal, persistent: false });
}
