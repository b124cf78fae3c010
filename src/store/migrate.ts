import { readdir, readFile } from "node:fs/promises";
import type { Client } from "pg";
import { GitspanError, messageOf } from "../model/errors.ts";
import { codeOf, storeFailure } from "./failures.ts";

const FOLDER = new URL("./migrations/", import.meta.url);
const FILE = /^\d{4}-.+\.sql$/;
const OLDEST_SERVER = 150_000;
/** Any constant will do, as long as every version of gitspan uses the same. */
const LOCK = 7_404_201;

/**
 * Brings the tables up to date in one transaction. Processes that start together wait for each other at an advisory
 * lock of the transaction (which also works behind a transaction pooler). Throws `store-migration` when the server or
 * the tables do not fit this version, `store-unavailable` when the database cannot be reached.
 */
export async function migrate(client: Client): Promise<void> {
  try {
    await client.connect();
    await requireServer(client);
    await client.query("begin; set local statement_timeout = 0; set local lock_timeout = 0");
    await client.query("select pg_advisory_xact_lock($1)", [LOCK]);
    await client.query(
      "create table if not exists gitspan_migration (name text primary key, applied_at timestamptz not null default now())",
    );
    await apply(client);
    await client.query("commit");
  } catch (error) {
    throw migrationFailure(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function apply(client: Client): Promise<void> {
  const known = (await readdir(FOLDER)).filter((name) => FILE.test(name)).sort();
  const { rows } = await client.query<{ name: string }>("select name from gitspan_migration");
  const applied = new Set(rows.map((row) => row.name));
  const foreign = [...applied].filter((name) => !known.includes(name));
  if (foreign.length > 0) {
    throw new GitspanError(
      "store-migration",
      `the database was made by a newer gitspan (it has ${foreign.join(", ")})`,
      {
        hint: "Run that version or a newer one, or restore the backup made before the upgrade.",
      },
    );
  }
  for (const name of known.filter((one) => !applied.has(one))) {
    await client.query(await readFile(new URL(name, FOLDER), "utf8"));
    await client.query("insert into gitspan_migration (name) values ($1)", [name]);
  }
}

async function requireServer(client: Client): Promise<void> {
  const { rows } = await client.query<{ version: number; name: string }>(
    "select current_setting('server_version_num')::int as version, current_setting('server_version') as name",
  );
  const [server] = rows;
  if (server !== undefined && server.version >= OLDEST_SERVER) return;
  throw new GitspanError("store-migration", `PostgreSQL ${server?.name ?? "of unknown version"} is too old`, {
    hint: "gitspan needs PostgreSQL 15 or newer.",
  });
}

function migrationFailure(error: unknown): GitspanError {
  if (codeOf(error) === "42501") {
    return new GitspanError("store-migration", `the tables cannot be created: ${messageOf(error)}`, {
      hint: "Give the database user the right to create tables (own the database or: grant create on schema public).",
      cause: error,
    });
  }
  const failure = storeFailure(error);
  if (failure.code !== "internal") return failure;
  return new GitspanError("store-migration", `the tables could not be brought up to date: ${messageOf(error)}`, {
    hint: "Nothing was changed. If the schema was edited by hand, undo that; otherwise report a defect.",
    cause: error,
  });
}
