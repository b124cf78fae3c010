import { type ChildProcess, spawn } from "node:child_process";
import { open, readFile, stat, truncate } from "node:fs/promises";
import type { Clock } from "../../model/ambient.ts";
import { GitspanError, messageOf } from "../../model/errors.ts";
import { codeOf } from "../failures.ts";
import type { StoreLog } from "../log.ts";
import { makeClient } from "../pool.ts";
import { type Account, giveTo } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { identity } from "./cluster.ts";
import type { EmbeddedPaths } from "./paths.ts";
import { endProcess } from "./process.ts";

export interface PostmasterInput {
  paths: EmbeddedPaths;
  account: Account | undefined;
  binaries: Binaries;
  connection: { host: string; port: number; user: string; password: string; database: string };
  settings: Record<string, string>;
}

const READY_POLL_MS = 25;
const RETRY_MS = 250;
const RETRY_MAX_MS = 10_000;
const MAX_LOG_BYTES = 5_000_000;
const MAX_STARTS = 40;

/** The PostgreSQL child process: started, started again when it dies by itself, and stopped. */
export class Postmaster {
  readonly #deps: { clock: Clock; log: StoreLog };
  readonly #input: PostmasterInput;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #exited: Promise<string> = Promise.resolve("not started");
  #supervision: Promise<void> = Promise.resolve();

  constructor(deps: { clock: Clock; log: StoreLog }, input: PostmasterInput) {
    this.#deps = deps;
    this.#input = input;
  }

  /** Resolves when it takes connections; a recovery after a crash may take its time. */
  async start(signal: AbortSignal): Promise<void> {
    process.once("exit", this.#onExit);
    try {
      await this.#startPatiently(signal);
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#supervision = this.#supervise();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    process.off("exit", this.#onExit);
    await this.#endChild();
    await this.#supervision;
    // One that was just being started again.
    await this.#endChild();
  }

  async #endChild(): Promise<void> {
    const pid = this.#child?.pid;
    if (pid === undefined || !this.#isRunning()) return;
    await endProcess(this.#deps, pid);
    await this.#exited;
  }

  /** The last resort when the process ends without closing the store. */
  readonly #onExit = (): void => {
    this.#child?.kill("SIGINT");
  };

  /** Backends of a server that was killed may live on for a moment, and PostgreSQL rightly refuses to start then. */
  async #startPatiently(signal: AbortSignal): Promise<void> {
    for (let starts = 1; ; starts++) {
      try {
        await this.#startOnce(signal);
        return;
      } catch (error) {
        const isLeftover = messageOf(error).includes("is still in use");
        if (!isLeftover || starts >= MAX_STARTS) throw error;
        await this.#deps.clock.sleep(RETRY_MS, signal);
      }
    }
  }

  async #startOnce(signal: AbortSignal): Promise<void> {
    const { paths, account, binaries } = this.#input;
    const logSize = await prepareLog(paths.log);
    const log = await open(paths.log, "a", 0o600);
    try {
      await giveTo(account, paths.log);
      const child = spawn(binaries.postgres, this.#arguments(), {
        env: binaries.env,
        cwd: paths.sockets,
        stdio: ["ignore", log.fd, log.fd],
        // In a process group of its own: Ctrl-C in a terminal is for us, and we stop it when we are done.
        detached: true,
        ...identity(account),
      });
      child.unref();
      const exited = Promise.withResolvers<string>();
      child.once("error", (error) => exited.resolve(error.message));
      child.once("exit", (code, by) => exited.resolve(code === null ? `signal ${by}` : `exit code ${code}`));
      this.#child = child;
      this.#exited = exited.promise;
    } finally {
      await log.close();
    }
    const how = await Promise.race([this.#exited, this.#ready(signal)]);
    if (how === undefined) return;
    const said = (await readFile(paths.log)).subarray(logSize).toString().trim();
    throw new GitspanError("store-unavailable", `the embedded PostgreSQL did not start (${how}): ${said}`, {
      hint: `Its log is ${paths.log}.`,
    });
  }

  #arguments(): string[] {
    const { paths, settings } = this.#input;
    const all = {
      listen_addresses: "",
      unix_socket_directories: `"${paths.sockets}"`,
      unix_socket_permissions: "0700",
      port: String(this.#input.connection.port),
      ...settings,
    };
    return ["-D", paths.data, ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
  }

  /** Never resolves when the server ends first: the other side of the race knows how it ended. */
  async #ready(signal: AbortSignal): Promise<undefined> {
    while (this.#isRunning()) {
      if (await answers(this.#input.connection)) return undefined;
      await this.#deps.clock.sleep(READY_POLL_MS, signal);
    }
    return await new Promise<undefined>(() => undefined);
  }

  #isRunning(): boolean {
    const child = this.#child;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  async #supervise(): Promise<void> {
    const { signal } = this.#stopping;
    let delayMs = RETRY_MS;
    for (;;) {
      const how = await this.#exited;
      if (signal.aborted) return;
      this.#deps.log.error("the embedded PostgreSQL ended by itself; starting it again", { how });
      try {
        await this.#deps.clock.sleep(delayMs, signal);
        await this.#startPatiently(signal);
        delayMs = RETRY_MS;
      } catch (error) {
        if (signal.aborted) return;
        this.#deps.log.error("the embedded PostgreSQL did not start again", { error: messageOf(error) });
        delayMs = Math.min(delayMs * 2, RETRY_MAX_MS);
      }
    }
  }
}

/** Throws when it answers that the password is wrong; false while it cannot be talked to. */
export async function answers(connection: PostmasterInput["connection"]): Promise<boolean> {
  const client = makeClient({ ...connection, database: "postgres" });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return true;
  } catch (error) {
    if (codeOf(error) !== "28P01") return false;
    throw new GitspanError("store-unavailable", "the embedded PostgreSQL does not accept the stored password", {
      hint: "Restore the file `password` that belongs to this data directory.",
      cause: error,
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Size of the log before this start; a log that has grown large begins anew. */
async function prepareLog(path: string): Promise<number> {
  const size = await stat(path).then(
    (file) => file.size,
    () => 0,
  );
  if (size <= MAX_LOG_BYTES) return size;
  await truncate(path);
  return 0;
}
