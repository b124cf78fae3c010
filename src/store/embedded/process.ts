import { execFile } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Clock } from "../../model/ambient.ts";
import { GitspanError } from "../../model/errors.ts";
import type { StoreLog } from "../log.ts";

const POLL_MS = 20;
const FAST_SHUTDOWN_MS = 20_000;
const IMMEDIATE_SHUTDOWN_MS = 5_000;

/**
 * Ends a server that was left behind when the process that started it was killed. Whether the pid file's process is
 * ours is decided by its command line. One that is not, with the pid of a server long gone, would keep PostgreSQL from
 * starting: the file is given our own pid, which the new server ignores as its parent's while it still checks that no
 * old backend has the shared memory (src/backend/utils/init/miscinit.c, CreateLockFile).
 */
export async function stopOrphan(deps: { clock: Clock; log: StoreLog }, dataDirectory: string): Promise<void> {
  const file = join(dataDirectory, "postmaster.pid");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return;
  const pid = Math.abs(Number.parseInt(text, 10));
  if (!Number.isSafeInteger(pid) || pid <= 1 || !isRunning(pid)) return;
  if (await isServerOf(pid, dataDirectory)) {
    deps.log.warn("stopping an embedded PostgreSQL that was left behind", { pid });
    await endProcess(deps, pid);
    return;
  }
  await writeFile(file, text.replace(/^-?\d+/, String(process.pid)));
}

/**
 * Sockets of a server that was killed. PostgreSQL removes them itself unless the old pid still seems to live: as a
 * zombie, or as another process.
 */
export async function removeDeadSockets(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.startsWith(".s.PGSQL."));
  await Promise.all(names.map((name) => rm(join(directory, name), { force: true })));
}

/** Asks for a fast shutdown, then for an immediate one (recovery follows at the next start), then kills. */
export async function endProcess(deps: { clock: Clock }, pid: number): Promise<void> {
  if (signalled(pid, "SIGINT") && (await isGoneWithin(deps.clock, pid, FAST_SHUTDOWN_MS))) return;
  if (signalled(pid, "SIGQUIT") && (await isGoneWithin(deps.clock, pid, IMMEDIATE_SHUTDOWN_MS))) return;
  if (!signalled(pid, "SIGKILL") || (await isGoneWithin(deps.clock, pid, IMMEDIATE_SHUTDOWN_MS))) return;
  throw new GitspanError("store-unavailable", `the embedded PostgreSQL (pid ${pid}) does not end`, {
    hint: `End it by hand: kill -9 ${pid}`,
  });
}

function signalled(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

async function isGoneWithin(clock: Clock, pid: number, ms: number): Promise<boolean> {
  const end = clock.now() + ms;
  while (clock.now() < end) {
    if (!isRunning(pid) || (await isZombie(pid))) return true;
    await clock.sleep(POLL_MS);
  }
  return false;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, but as somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Ended, but its new parent (a container's first process that is no init) never asks for it. */
async function isZombie(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return text.slice(text.lastIndexOf(")") + 2).startsWith("Z");
}

async function isServerOf(pid: number, dataDirectory: string): Promise<boolean> {
  const line = await commandLine(pid);
  return line.includes("postgres") && line.includes(dataDirectory);
}

async function commandLine(pid: number): Promise<string> {
  if (process.platform === "linux") return await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  const { stdout } = await promisify(execFile)("ps", ["-ww", "-o", "command=", "-p", String(pid)]).catch(() => ({
    stdout: "",
  }));
  return stdout;
}
