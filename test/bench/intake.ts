/**
 * What it costs to report builds: until each has its 202, which means committed and flushed to disk. The floor is the same
 * number of one-row commits on the same PostgreSQL over as many connections as the bridge has. No git server is there, so
 * that nothing else is measured.
 */
import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "pg";
import { startBridge, withStore } from "../../src/bridge.ts";
import { startEmbedded } from "../../src/store/embedded/server.ts";
import { databaseDeps } from "../fakes/database.ts";
import { openPlace, type Place, postBuild } from "./bridge-place.ts";

const APPS = 200;
/** The bridge's pool, by default. */
const CONNECTIONS = 10;
const CROWDS = [1, 10, 200, 2_000];
const LONE_RUNS = 100;

interface Row {
  what: string;
  builds: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Without a 202. */
  lost: number;
}

export async function benchIntake({ json }: { json: boolean }): Promise<void> {
  const report = (row: Row): void => console.log(json ? JSON.stringify({ bench: "intake", ...row }) : lineOf(row));
  const folder = await mkdtemp(join(tmpdir(), "gitspan-intake-"));
  // Run by root, PostgreSQL works as another user, who has to get to its data.
  await chmod(folder, 0o711);
  const server = await startEmbedded(databaseDeps, { directory: join(folder, "data"), mode: "serve" });
  const { host, port, user, password } = server.connection;
  const url = `postgresql://${user}:${password}@localhost:${port}/postgres?host=${encodeURIComponent(host)}`;
  process.env["GITSPAN_BENCH_DATABASE"] = url;
  try {
    for (const crowd of CROWDS) report(await floor(url, crowd));
    const apps = Array.from({ length: APPS }, (_, app) => app);
    const database = { urlEnv: "GITSPAN_BENCH_DATABASE" };
    const place = await openPlace({ repositoryUrl: "http://127.0.0.1:9/gitops.git", apps, database });
    try {
      for (const crowd of CROWDS) report(await builds(place, crowd));
    } finally {
      await place.close();
    }
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function floor(url: string, crowd: number): Promise<Row> {
  const pool = new Pool({ connectionString: url, max: CONNECTIONS });
  try {
    await pool.query("create table if not exists floor (id uuid primary key, body text not null)");
    const insert = async (): Promise<boolean> => {
      await pool.query("insert into floor values ($1, $2)", [randomUUID(), "x".repeat(500)]);
      return true;
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, insert));
    return await measured("floor: one-row commits", crowd, insert);
  } finally {
    await pool.end();
  }
}

async function builds(place: Place, crowd: number): Promise<Row> {
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const bridge = await startBridge({ configFile: place.configFile, log: silent });
  try {
    await withStore(place.configFile, (store) => store.createToken({ name: "ci", hash: place.hash, groups: [] }));
    const report = async (number: number): Promise<boolean> =>
      (await postBuild(place, bridge.address, { app: number % APPS, tag: `1.${crowd}.${number}` })) === 202;
    // The first ones pay for loading and connecting.
    for (let number = 0; number < CONNECTIONS; number++) await report(crowd * APPS + number);
    return await measured("builds reported", crowd, report);
  } finally {
    await bridge.close();
  }
}

/** All of a crowd at once; of a crowd of one a hundred, one after the other. */
async function measured(what: string, crowd: number, once: (number: number) => Promise<boolean>): Promise<Row> {
  const count = crowd === 1 ? LONE_RUNS : crowd;
  const times: number[] = [];
  let lost = 0;
  const timed = async (number: number): Promise<void> => {
    const start = performance.now();
    if (!(await once(number))) lost++;
    times.push(performance.now() - start);
  };
  const start = performance.now();
  if (crowd === 1) for (let number = 0; number < count; number++) await timed(number);
  else await Promise.all(Array.from({ length: count }, (_, number) => timed(number)));
  const seconds = (performance.now() - start) / 1000;
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round((sorted[Math.floor((count - 1) * share)] ?? 0) * 10) / 10;
  const how = crowd === 1 ? "one after the other" : `${crowd} at once`;
  return {
    what: `${what}, ${how}`,
    builds: count,
    perSecond: Math.round(count / seconds),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    lost,
  };
}

function lineOf({ what, perSecond, p50Ms, p99Ms, lost }: Row): string {
  const cells = [
    what.padEnd(46),
    `${perSecond}/s`.padStart(9),
    `p50 ${p50Ms} ms`.padStart(14),
    `p99 ${p99Ms} ms`.padStart(14),
  ];
  return [...cells, `${lost} lost`.padStart(8)].join(" ");
}
