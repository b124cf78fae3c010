import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, type QueryResult } from "pg";
import { systemAmbient } from "../../src/ambient.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { type EmbeddedServer, startEmbedded } from "../../src/store/embedded/server.ts";
import { migrate } from "../../src/store/migrate.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const TEMPLATE = "migrated";

export const databaseDeps = { ...systemAmbient, log: silent };

export interface TestDatabase {
  /** Connection string of a new, migrated, empty database; a few milliseconds. */
  fresh(): Promise<string>;
  /** A new database without any table. */
  empty(): Promise<string>;
  /** `fresh` and opened. */
  open(): Promise<Database>;
  /** Runs a statement on one of the databases. */
  run(url: string, statement: string, values?: unknown[]): Promise<QueryResult>;
  close(): Promise<void>;
}

/** One PostgreSQL server for a test file; it does not wait for the disk, unless asked to. */
export async function startTestDatabase(): Promise<TestDatabase> {
  const directory = await mkdtemp(join(tmpdir(), "gitspan-db-"));
  const settings = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };
  const server = await startEmbedded(databaseDeps, { directory, mode: "serve", settings });
  return await testDatabaseOn(
    (database) => urlOf(server, database),
    async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  );
}

/** The same on any PostgreSQL server, whose superuser the URLs name. */
export async function testDatabaseOn(
  urlOf: (database: string) => string,
  stop: () => Promise<void>,
): Promise<TestDatabase> {
  const run = async (url: string, statement: string, values: unknown[] = []) => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return await client.query(statement, values);
    } finally {
      await client.end();
    }
  };
  const admin = urlOf("postgres");
  await run(admin, `create database ${TEMPLATE}`);
  await migrate(new Client({ connectionString: urlOf(TEMPLATE) }));
  let made = 0;
  const create = async (template: string): Promise<string> => {
    const name = `test_${++made}`;
    await run(admin, `create database ${name} template ${template}`);
    return urlOf(name);
  };
  const fresh = (): Promise<string> => create(TEMPLATE);
  return {
    fresh,
    run,
    empty: () => create("template0"),
    open: async () => await openDatabase(databaseDeps, { url: await fresh() }),
    close: stop,
  };
}

function urlOf({ connection }: EmbeddedServer, database: string): string {
  const { host, port, user, password } = connection;
  return `postgresql://${user}:${password}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
}
