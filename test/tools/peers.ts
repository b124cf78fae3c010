import { accessSync, constants, globSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";

/** Another tool on this machine, or where it was looked for. */
export type Peer = { path: string } | { absent: string };

/**
 * Finds a program: named by an environment variable (`GITSPAN_KUSTOMIZE` for kustomize), built before into
 * `~/.cache/gitspan-e2e`, or on the search path.
 */
export function findPeer(name: string): Peer {
  const variable = `GITSPAN_${name.toUpperCase()}`;
  const given = process.env[variable];
  const built = globSync(join(homedir(), ".cache/gitspan-e2e/*/bin", name));
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const places = given === undefined ? [...built, ...folders.map((folder) => join(folder, name))] : [given];
  const path = places.find(isProgram);
  return path === undefined ? { absent: `no ${name}: neither on the search path nor named by ${variable}` } : { path };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
