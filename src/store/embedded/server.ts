import { hostname } from "node:os";
import type { Ambient } from "../../model/ambient.ts";
import { GitspanError } from "../../model/errors.ts";
import { storeFailure } from "../failures.ts";
import type { StoreLog } from "../log.ts";
import { makeClient } from "../pool.ts";
import { prepareBinaries } from "./binaries.ts";
import { initialise, readPassword, SUPERUSER } from "./cluster.ts";
import { type Holder, type LockResult, tryLock } from "./lock.ts";
import { type EmbeddedPaths, preparePaths } from "./paths.ts";
import { answers, Postmaster, type PostmasterInput } from "./postmaster.ts";
import { removeDeadSockets, stopOrphan } from "./process.ts";

export interface EmbeddedDeps extends Ambient {
  log: StoreLog;
}

export interface EmbeddedInput {
  directory: string;
  mode: "serve" | "attach";
  /** PostgreSQL settings beside and over our own. */
  settings?: Record<string, string>;
  signal?: AbortSignal;
}

export interface EmbeddedServer {
  connection: PostmasterInput["connection"];
  /** Stops the server if this process started it. */
  stop(): Promise<void>;
}

const DATABASE = "gitspan";
/** Only part of a socket's name: nothing listens on TCP. */
const PORT = 5432;
const COMMAND_MS = 60_000;
const POLL_MS = 100;

/** Small, and safe: fsync stays on. */
const SETTINGS = {
  max_connections: "60",
  shared_buffers: "32MB",
  min_wal_size: "32MB",
  max_wal_size: "256MB",
  max_parallel_workers_per_gather: "0",
  huge_pages: "off",
  io_method: "sync",
  log_checkpoints: "off",
  log_line_prefix: "%m [%p] ",
};

/**
 * Starts the PostgreSQL of a directory, or (mode `attach`) finds the running one. Throws `store-in-use` when another
 * process serves from the directory, `store-unavailable` when PostgreSQL cannot be started.
 */
export async function startEmbedded(deps: EmbeddedDeps, input: EmbeddedInput): Promise<EmbeddedServer> {
  if (process.platform === "win32") {
    throw new GitspanError("store-unavailable", "the embedded database does not run on Windows", {
      hint: "Use a PostgreSQL server (database: {urlEnv: DATABASE_URL}).",
    });
  }
  const signal = input.signal ?? new AbortController().signal;
  try {
    return await startOrAttach(deps, input, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw storeFailure(error);
  }
}

async function startOrAttach(deps: EmbeddedDeps, input: EmbeddedInput, signal: AbortSignal): Promise<EmbeddedServer> {
  const { paths, account } = await preparePaths(input.directory);
  const lock = await acquire(deps, paths, input.mode, signal);
  if (lock === "attached") {
    return { connection: await attach(deps, paths, signal), stop: () => Promise.resolve() };
  }
  try {
    const binaries = await prepareBinaries(paths, account);
    const { password } = await initialise(paths, account, binaries);
    await stopOrphan(deps, paths.data);
    await removeDeadSockets(paths.sockets);
    const connection = connectionOf(paths, password);
    const settings = { ...SETTINGS, ...input.settings };
    const postmaster = new Postmaster(deps, { paths, account, binaries, connection, settings });
    await postmaster.start(signal);
    try {
      await makeDatabase(connection);
    } catch (error) {
      await postmaster.stop();
      throw error;
    }
    return {
      connection,
      async stop() {
        await postmaster.stop();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** A command gives way soon, so it is waited for; a server does not. */
async function acquire(deps: EmbeddedDeps, paths: EmbeddedPaths, mode: "serve" | "attach", signal: AbortSignal) {
  const holder: Holder = { pid: process.pid, host: hostname(), purpose: mode };
  const end = deps.clock.now() + COMMAND_MS;
  for (;;) {
    const result: LockResult = await tryLock(deps, { directory: paths.sockets, holder, signal });
    if (result.kind === "locked") return result.lock;
    const isCommand = result.by?.purpose === "attach";
    if (!isCommand && mode === "attach") return "attached";
    if (!isCommand || deps.clock.now() >= end) throw inUse(paths, result.by);
    await deps.clock.sleep(POLL_MS, signal);
  }
}

function inUse(paths: EmbeddedPaths, by: Holder | undefined): GitspanError {
  const who = by === undefined ? "another process" : `process ${by.pid} on ${by.host}`;
  return new GitspanError("store-in-use", `the embedded database in ${paths.root} is in use by ${who}`, {
    hint: "Stop that process, or choose another directory. Several replicas need one PostgreSQL server (database: {urlEnv: DATABASE_URL}).",
  });
}

/** The server may only just be starting. */
async function attach(deps: EmbeddedDeps, paths: EmbeddedPaths, signal: AbortSignal) {
  const end = deps.clock.now() + COMMAND_MS;
  for (;;) {
    const isOver = deps.clock.now() >= end;
    const password = await readPassword(paths).catch((error: unknown) => {
      if (isOver) throw error;
      return undefined;
    });
    if (password !== undefined) {
      const connection = connectionOf(paths, password);
      if (await answers(connection)) return connection;
    }
    if (isOver) {
      throw new GitspanError("store-unavailable", `the server that uses ${paths.root} does not answer`, {
        hint: "Try again when it has started.",
        transient: true,
      });
    }
    await deps.clock.sleep(POLL_MS, signal);
  }
}

function connectionOf(paths: EmbeddedPaths, password: string): EmbeddedServer["connection"] {
  return { host: paths.sockets, port: PORT, user: SUPERUSER, password, database: DATABASE };
}

async function makeDatabase(connection: EmbeddedServer["connection"]): Promise<void> {
  const client = makeClient({ ...connection, database: "postgres" });
  await client.connect();
  try {
    const { rowCount } = await client.query("select from pg_database where datname = $1", [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}
