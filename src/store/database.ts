import type { Ambient } from "../model/ambient.ts";
import { GitspanError } from "../model/errors.ts";
import { type EmbeddedServer, startEmbedded } from "./embedded/server.ts";
import { asStoreCall } from "./failures.ts";
import type { StoreLog } from "./log.ts";
import { migrate } from "./migrate.ts";
import { Changes } from "./notify.ts";
import { type Connection, makeClient, makeKysely, makePool } from "./pool.ts";
import { makeStore, type PostgresStore } from "./store.ts";

export interface DatabaseDeps extends Ambient {
  log: StoreLog;
}

export type DatabaseLocation =
  | {
      /** A directory; the server and its data live in it. */
      embedded: string;
      /**
       * `serve` (default) owns the directory and refuses when another process does. `attach`, for commands, uses the
       * server that runs there, or starts it for its own duration.
       */
      mode?: "serve" | "attach";
    }
  | {
      /** `postgresql://user:password@host:port/database` */
      url: string;
    };

export interface DatabaseOptions {
  /** Connections at most; further calls queue. */
  pool?: number;
  /** Ends the wait for a server that starts or for a lock. */
  signal?: AbortSignal;
}

export interface Database {
  store: PostgresStore;
  /** Rejects with `store-unavailable` when the database does not answer. */
  ping(): Promise<void>;
  /** Waits for calls under way; ends the embedded server if this process started it. */
  close(): Promise<void>;
}

const POOL = 10;

/**
 * Connects, brings the tables up to date and gives the store. Throws `store-in-use` when another process serves from
 * the embedded directory, `store-unavailable`, `store-migration`, or `config-invalid` for a URL that is none.
 */
export async function openDatabase(
  deps: DatabaseDeps,
  location: DatabaseLocation,
  options: DatabaseOptions = {},
): Promise<Database> {
  if ("url" in location) return await connect(deps, parseUrl(location.url), options, undefined);
  const server = await startEmbedded(deps, {
    directory: location.embedded,
    mode: location.mode ?? "serve",
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  try {
    return await connect(deps, server.connection, options, server);
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function connect(
  deps: DatabaseDeps,
  connection: Connection,
  options: DatabaseOptions,
  server: EmbeddedServer | undefined,
): Promise<Database> {
  options.signal?.throwIfAborted();
  await migrate(makeClient(connection));
  const pool = makePool(deps, connection, options.pool ?? POOL);
  const db = makeKysely(pool);
  const changes = new Changes({
    clock: deps.clock,
    log: deps.log,
    makeClient: () => makeClient(connection),
    notify: async (statement) => {
      await pool.query(statement);
    },
  });
  return {
    store: makeStore({ db, changed: () => changes.changed() }, changes),
    async ping() {
      await asStoreCall(() => pool.query("select 1"));
    },
    async close() {
      await changes.close();
      await db.destroy();
      await server?.stop();
    },
  };
}

function parseUrl(url: string): Connection {
  if (/^postgres(?:ql)?:\/\//.test(url) && URL.canParse(url.replace("@/", "@localhost/"))) {
    return { connectionString: url };
  }
  throw new GitspanError("config-invalid", "the database URL is not a PostgreSQL connection string", {
    hint: "Write it as postgresql://user:password@host:5432/database.",
  });
}
