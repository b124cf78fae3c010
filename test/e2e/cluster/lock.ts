/** One at a time, across processes: a folder that only one can make, with who made it inside. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { identity, isAlive } from "./processes.ts";
import { say } from "./talk.ts";

export async function withLock<T>(folder: string, what: string, action: () => Promise<T>): Promise<T> {
  for (let told = false; !take(folder); told = true) {
    if (!told) say(`waiting for ${what} (${folder})`);
    await sleep(1000);
  }
  try {
    return await action();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function take(folder: string): boolean {
  const owner = path.join(folder, "owner");
  try {
    mkdirSync(folder);
  } catch {
    // Whoever held it may have been killed.
    if (!isAlive(readIdentity(owner))) rmSync(folder, { recursive: true, force: true });
    return false;
  }
  writeFileSync(owner, identity(process.pid) ?? "");
  return true;
}

/** A lock that is just being made has no owner yet: then it counts as alive by its own. */
function readIdentity(owner: string): string {
  try {
    return readFileSync(owner, "utf8");
  } catch {
    return identity(process.pid) ?? "";
  }
}
