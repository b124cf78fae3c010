/**
 * Bridges that die, foreign writers that never rest, one branch: afterwards the repository and the database have to tell
 * the same story, and every build that was accepted has to be in it once, in its order.
 */
import { setTimeout as delay } from "node:timers/promises";
import { openPlace, type Place, postBuild } from "../bench/bridge-place.ts";
import { disturb } from "../bench/git-writers.ts";
import { FILES_PER_APP, monorepoStream } from "../bench/monorepo.ts";
import { initBare } from "../fakes/bare-repository.ts";
import { startTestDatabase, type TestDatabase } from "../fakes/database.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { type Bridges, startBridges } from "./bridges.ts";
import { databaseToken, verdictOf } from "./verdict.ts";

const APPS = 200;
const REPO = "mono";
const ROUND_MS = 600_000;
/** Reports at the same time: a CI has so many. */
const CROWD = 50;

export interface SoakOptions {
  bumps: number;
  writers: number;
  bridges: number;
  killEveryMs: number;
  /** Of a foreign writer between two pushes, on average. */
  pauseMs: number;
}

/** True when nothing is lost, doubled, out of order or damaged. */
export async function soakGit(options: SoakOptions): Promise<boolean> {
  const apps = Array.from({ length: Math.min(APPS, options.bumps) }, (_, app) => app);
  const server = await startGitServer();
  const database = await startTestDatabase();
  try {
    await initBare(server.dir(REPO));
    await server.importStream(REPO, monorepoStream(APPS + options.writers));
    const databaseUrl = await database.fresh();
    const place = await openPlace({ repositoryUrl: server.url(REPO), apps, database: { urlEnv: "DATABASE_URL" } });
    await databaseToken(databaseUrl, place.hash);
    try {
      return await soak({ server, database, place: { ...place, databaseUrl }, apps }, options);
    } finally {
      await place.close();
    }
  } finally {
    await server.close();
    await database.close();
  }
}

interface Grounds {
  server: GitServer;
  database: TestDatabase;
  place: Place & { databaseUrl: string };
  apps: readonly number[];
}

async function soak({ server, database, place, apps }: Grounds, options: SoakOptions): Promise<boolean> {
  const first = (await server.tip(REPO)) ?? "";
  const say = (line: string): void => console.log(line);
  say(
    `${FILES_PER_APP * (APPS + options.writers)} files, ${options.bridges} bridges, ${options.writers} foreign writers`,
  );
  const bridges = await startBridges(place, options);
  const stop = new AbortController();
  const theirs = Array.from({ length: options.writers }, (_, writer) =>
    disturb(server, APPS + writer, stop.signal, options.pauseMs),
  );
  const expected: { app: number; tag: string }[] = [];
  const startedAt = performance.now();
  try {
    while (expected.length < options.bumps) {
      const round = apps.slice(0, options.bumps - expected.length).map((app) => ({ app, tag: `9.${expected.length}` }));
      await report(place, bridges, round);
      expected.push(...round);
      await landed(server, first, expected.length);
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      say(`${expected.length} of ${options.bumps} on the remote after ${seconds} s, ${bridges.kills()} kills`);
    }
  } finally {
    stop.abort();
    await bridges.close();
  }
  const foreign = (await Promise.all(theirs)).flat();
  const verdict = await verdictOf(
    { server, repo: REPO, database, databaseUrl: place.databaseUrl },
    { first, expected, foreign },
  );
  for (const [what, found] of Object.entries(verdict)) say(`${what}: ${found}`);
  return Object.values(verdict).every((found) => found === 0 || typeof found === "string");
}

/** As CI does: whoever gets no answer asks again, and the run makes it the same build. */
async function report(place: Place, bridges: Bridges, builds: readonly { app: number; tag: string }[]): Promise<void> {
  const waiting = [...builds];
  const finishedAt = new Date();
  const one = async (): Promise<void> => {
    for (let build = waiting.shift(); build !== undefined; build = waiting.shift()) {
      for (;;) {
        const status = await postBuild(place, await bridges.address(), { ...build, finishedAt });
        if (status === 202 || status === 200) break;
        await delay(100);
      }
    }
  };
  await Promise.all(Array.from({ length: CROWD }, one));
}

/** Waits until so many of our commits are on the branch; less of them in time is for the verdict to say. */
async function landed(server: GitServer, first: string, count: number): Promise<void> {
  const until = performance.now() + ROUND_MS;
  while (performance.now() < until) {
    const log = await server.git(REPO, "log", "--grep=^Gitspan-Delivery: ", "--format=%H", `${first}..refs/heads/main`);
    if (log.split("\n").filter((line) => line !== "").length >= count) return;
    await delay(1000);
  }
}
