import { Socket } from "node:net";
import { Kysely, PostgresDialect } from "kysely";
import { Client, type ClientConfig, Pool } from "pg";
import type { StoreLog } from "./log.ts";
import type { Schema } from "./schema.ts";

/** Where the database is, as `pg` takes it. */
export type Connection = Pick<ClientConfig, "connectionString" | "host" | "port" | "user" | "password" | "database">;

const CONNECT_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 30_000;
const IDLE_MS = 30_000;
/** Longer than the server's limit and than a connection may be idle: only a server that is gone is silent so long. */
const SILENCE_MS = 45_000;
const SESSION = `set statement_timeout = ${STATEMENT_TIMEOUT_MS}; set idle_in_transaction_session_timeout = ${STATEMENT_TIMEOUT_MS}`;

/** One connection outside the pool; does not connect yet. */
export function makeClient(connection: Connection): Client {
  return new Client({
    ...connection,
    application_name: "gitspan",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  });
}

/**
 * The pool's own connection timeout would also count the time in its queue and so refuse work under load; here it is
 * each client's, and the queue waits.
 */
class PooledClient extends Client {
  constructor(config?: ClientConfig) {
    super({
      ...config,
      // The pool hides the password from enumeration, so a spread loses it.
      password: config?.password,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      stream: mortalSocket,
    });
  }
}

/** Ends calls to a server that vanished without a word, and their connection with them. */
function mortalSocket(): Socket {
  const socket = new Socket();
  socket.setTimeout(SILENCE_MS, () => {
    socket.destroy(new Error("the database server has not answered for too long"));
  });
  return socket;
}

export function makePool(deps: { log: StoreLog }, connection: Connection, max: number): Pool {
  const pool = new Pool({
    ...connection,
    Client: PooledClient,
    application_name: "gitspan",
    max,
    idleTimeoutMillis: IDLE_MS,
    keepAlive: true,
    // As a statement and not as startup parameters, which connection poolers refuse.
    verify: (client, done) => {
      client.query(SESSION, (error: Error | null) => done(error ?? undefined));
    },
  });
  // Both lose nothing: the statement in flight, if any, is rejected by itself. Without a listener they end the process.
  pool.on("error", (error) => deps.log.debug("idle database connection lost", { error: error.message }));
  pool.on("connect", (client) => {
    client.on("error", (error) => deps.log.debug("database connection lost", { error: error.message }));
  });
  return pool;
}

export function makeKysely(pool: Pool): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}
