/** A real PostgreSQL on TCP: the one that gitspan embeds. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { Client } from "pg";
import { at } from "../kube.ts";
import { POSTGRES_ADDRESS, stateFile } from "../places.ts";
import { start, step, waitFor } from "../supervisor.ts";

const connectionFile = stateFile("postgres.json");

export async function startPostgres(): Promise<void> {
  await step("PostgreSQL", async () => {
    const script = path.join(import.meta.dirname, "..", "postgres-process.ts");
    start({ name: "postgres", command: [process.execPath, script, stateFile("postgres"), connectionFile] });
    await waitFor("PostgreSQL", ["postgres"], async () => existsSync(connectionFile) && (await answers()));
  });
}

export function postgresConnection(database: string) {
  const stored: unknown = JSON.parse(readFileSync(connectionFile, "utf8"));
  return { ...POSTGRES_ADDRESS, user: String(at(stored, "user")), password: String(at(stored, "password")), database };
}

async function answers(): Promise<boolean> {
  await query("postgres", "select 1");
  return true;
}

export async function createDatabase(name: string): Promise<void> {
  const found = await query("postgres", "select 1 from pg_database where datname = $1", [name]);
  if (found === 0) await query("postgres", `create database "${name}"`);
}

/** Returns the number of rows. */
async function query(database: string, sql: string, values: readonly string[] = []): Promise<number> {
  const client = new Client(postgresConnection(database));
  await client.connect();
  try {
    return (await client.query(sql, [...values])).rowCount ?? 0;
  } finally {
    await client.end();
  }
}
