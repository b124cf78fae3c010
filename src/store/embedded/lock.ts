import { readdir, rm, stat } from "node:fs/promises";
import { createConnection, createServer, type Server } from "node:net";
import { join } from "node:path";
import type { Ambient } from "../../model/ambient.ts";
import { codeOf } from "../failures.ts";

/** What a process that holds (or tries to get) the lock says of itself. */
export interface Holder {
  pid: number;
  host: string;
  purpose: "serve" | "attach";
}

export interface DirectoryLock {
  release(): Promise<void>;
}

export type LockResult = { kind: "locked"; lock: DirectoryLock } | { kind: "held"; by: Holder | undefined };

interface Announcement extends Holder {
  isHolder: boolean;
}

const NAME = /^lock-[0-9a-f]{6}$/;
const ANSWER_TIMEOUT_MS = 2_000;
const RETRY_MS = 50;

/**
 * Mutual exclusion of processes by listening sockets in one directory: a socket answers exactly as long as its process
 * lives, also across containers that share the directory, where process ids mean nothing; nothing goes stale after
 * SIGKILL. Everybody first listens and then looks for others, so of two the later one to look sees the other; both
 * may give way then, and try again after a random time.
 */
export async function tryLock(
  deps: Ambient,
  input: { directory: string; holder: Holder; signal: AbortSignal },
): Promise<LockResult> {
  const { directory, holder, signal } = input;
  for (;;) {
    signal.throwIfAborted();
    const announcement: Announcement = { ...holder, isHolder: false };
    const own = `lock-${Math.floor(deps.random.next() * 0xffffff)
      .toString(16)
      .padStart(6, "0")}`;
    const server = await announce(join(directory, own), announcement);
    if (server === undefined) continue;
    const others = await lookAround(deps, directory, own);
    // A holder may have cleared our socket away as a dead one while it did not listen yet.
    const isVisible = await stat(join(directory, own)).then(
      () => true,
      () => false,
    );
    if (others.alive.length === 0 && isVisible) {
      announcement.isHolder = true;
      await Promise.all(others.dead.map((name) => rm(join(directory, name), { force: true })));
      return { kind: "locked", lock: { release: () => close(server) } };
    }
    await close(server);
    const held = others.alive.find((other) => other === "silent" || other.isHolder);
    if (held !== undefined) return { kind: "held", by: held === "silent" ? undefined : held };
    await deps.clock.sleep(RETRY_MS * deps.random.next(), signal);
  }
}

/** Undefined when the name is taken. */
async function announce(path: string, announcement: Announcement): Promise<Server | undefined> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end(`${JSON.stringify(announcement)}\n`);
  });
  const listening = Promise.withResolvers<Server | undefined>();
  server.once("error", (error) => {
    if (codeOf(error) === "EADDRINUSE") listening.resolve(undefined);
    else listening.reject(error);
  });
  server.listen(path, () => listening.resolve(server));
  server.unref();
  return await listening.promise;
}

async function lookAround(
  deps: Ambient,
  directory: string,
  own: string,
): Promise<{ alive: (Announcement | "silent")[]; dead: string[] }> {
  const names = (await readdir(directory)).filter((name) => NAME.test(name) && name !== own);
  const alive: (Announcement | "silent")[] = [];
  const dead: string[] = [];
  for (const name of names) {
    const answer = await ask(deps, join(directory, name));
    if (answer === "dead") dead.push(name);
    else alive.push(answer);
  }
  return { alive, dead };
}

/** `silent`: it is there, but too busy (or stopped) to answer. */
async function ask(deps: Ambient, path: string): Promise<Announcement | "silent" | "dead"> {
  const answered = Promise.withResolvers<Announcement | "silent" | "dead">();
  const over = new AbortController();
  const socket = createConnection(path);
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    text += chunk;
  });
  socket.on("end", () => answered.resolve(parse(text)));
  socket.on("error", (error) => {
    const isDead = codeOf(error) === "ECONNREFUSED" || codeOf(error) === "ENOENT";
    answered.resolve(isDead ? "dead" : "silent");
  });
  try {
    const timeout = deps.clock.sleep(ANSWER_TIMEOUT_MS, over.signal).then(() => "silent" as const);
    return await Promise.race([answered.promise, timeout]);
  } finally {
    over.abort();
    socket.destroy();
  }
}

function parse(text: string): Announcement | "silent" {
  try {
    const said: unknown = JSON.parse(text);
    return isAnnouncement(said) ? said : "silent";
  } catch {
    return "silent";
  }
}

function isAnnouncement(said: unknown): said is Announcement {
  return typeof said === "object" && said !== null && "pid" in said && "host" in said && "isHolder" in said;
}

/** Node removes the socket's file when it closes. */
async function close(server: Server): Promise<void> {
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  await closed.promise;
}
