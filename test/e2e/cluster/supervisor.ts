/**
 * Starts and stops the cluster's processes. Each has a file with its process number and start time: what is stopped is what was
 * started here, never another process that was given the same number.
 */
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { stateFile } from "./places.ts";
import { identity, isAlive } from "./processes.ts";
import { duration, say, tail } from "./talk.ts";

const TERM_PATIENCE_MS = 5_000;

export interface Program {
  name: string;
  command: readonly string[];
  /** Beside PATH and HOME; nothing else of our environment is passed on. */
  env?: Readonly<Record<string, string>>;
  cwd?: string;
}

export function logFile(name: string): string {
  return stateFile("log", `${name}.log`);
}

function recordFile(name: string): string {
  return stateFile("pid", name);
}

export function isUp(name: string): boolean {
  return existsSync(recordFile(name)) && isAlive(readFileSync(recordFile(name), "utf8"));
}

/** Everything that was started and not stopped, whether it still runs or not. */
export function recorded(): string[] {
  return existsSync(stateFile("pid")) ? readdirSync(stateFile("pid")) : [];
}

/** In the caller's network namespace, as a session of its own. Does nothing when it is up. */
export function start(program: Program): void {
  if (isUp(program.name)) return;
  mkdirSync(stateFile("pid"), { recursive: true });
  mkdirSync(stateFile("log"), { recursive: true });
  const log = openSync(logFile(program.name), "a");
  const [command, ...args] = program.command;
  if (command === undefined) throw new Error(`${program.name} has no command.`);
  const child = spawn(command, args, {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: program.cwd ?? "/",
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", ...program.env },
  });
  closeSync(log);
  child.on("error", () => {});
  child.unref();
  if (child.pid === undefined) throw new Error(`${program.name} could not be started: ${program.command.join(" ")}`);
  // One that is dead already is recorded all the same: whoever waits for it shows the end of its log.
  writeFileSync(recordFile(program.name), identity(child.pid) ?? `${child.pid} dead`);
}

/** SIGTERM, then SIGKILL. */
export async function stop(name: string): Promise<void> {
  if (isUp(name)) {
    const pid = Number(readFileSync(recordFile(name), "utf8").split(" ")[0]);
    process.kill(pid, "SIGTERM");
    const end = Date.now() + TERM_PATIENCE_MS;
    while (isUp(name) && Date.now() < end) await sleep(100);
    if (isUp(name)) process.kill(pid, "SIGKILL");
    while (isUp(name)) await sleep(20);
  }
  rmSync(recordFile(name), { force: true });
}

/** Waits until `check` is true (it may throw meanwhile). A process in `watched` that died ends the wait with the end of its log. */
export async function waitFor(
  what: string,
  watched: readonly string[],
  check: () => Promise<boolean> | boolean,
  seconds = 60,
): Promise<void> {
  let last: unknown;
  for (const end = Date.now() + seconds * 1000; ; await sleep(150)) {
    try {
      if (await check()) return;
    } catch (error) {
      last = error;
    }
    const dead = watched.find((name) => !isUp(name));
    if (dead !== undefined) throw new Error(`${dead} died. The end of ${logFile(dead)}:\n${tail(logFile(dead))}`);
    if (Date.now() > end) throw new Error(tooLate(what, watched, seconds, last));
  }
}

function tooLate(what: string, watched: readonly string[], seconds: number, last: unknown): string {
  const why = last instanceof Error ? ` (${last.message})` : "";
  const logs = watched.map((name) => `The end of ${logFile(name)}:\n${tail(logFile(name))}`);
  return [`${what}: not so after ${seconds} s${why}.`, ...logs].join("\n");
}

/** Below it nothing was done. */
const TOO_SHORT_TO_TELL_MS = 200;

/** Says how long the step took, unless all was up already; a failure is told with the step's name. */
export async function step(what: string, action: () => Promise<void> | void): Promise<void> {
  const begin = Date.now();
  try {
    await action();
  } catch (error) {
    say(`${what}: failed after ${duration(begin)}`);
    throw error;
  }
  if (Date.now() - begin > TOO_SHORT_TO_TELL_MS) say(`${what}: ${duration(begin)}`);
}

export async function answers(url: string, init: RequestInit = {}): Promise<boolean> {
  return (await fetch(url, { ...init, signal: AbortSignal.timeout(2_000) })).ok;
}

/** `{port: 80}` as `--port=80`. */
export function flags(settings: Readonly<Record<string, string | number | boolean>>): string[] {
  return Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
}
