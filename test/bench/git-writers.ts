/** Our bumps while others push to the same branch all the time: how often they have to be planned again, and that nothing is lost. */
import { setTimeout as delay } from "node:timers/promises";
import type { RemoteRepository } from "../../src/git/repository.ts";
import type { GitServer } from "../fakes/git-http-server.ts";
import { openEngine, prepareBumps, tipOf } from "./git-bump.ts";
import type { Measure } from "./git-row.ts";

const { signal } = new AbortController();
const BATCHES = 10;
const BATCH = 5;
const MAX_TRIES = 200;

export async function benchWriters(server: GitServer, measure: Measure, writers: number, apps: number): Promise<void> {
  const first = await server.tip("mono");
  const what = `${BATCHES} pushes of ${BATCH} bumps beside ${writers} other ${writers === 1 ? "writer" : "writers"}`;
  await measure(what, { bumps: BATCHES * BATCH, runs: 1 }, async () => {
    const stop = new AbortController();
    const theirs = Array.from({ length: writers }, (_, writer) => disturb(server, apps - 1 - writer, stop.signal));
    const ours: string[] = [];
    let retries = 0;
    const git = openEngine(server.url("mono"));
    for (let batch = 0; batch < BATCHES; batch++) {
      const targets = Array.from({ length: BATCH }, (_, i) => (batch * BATCH + i) % Math.floor(apps / 2));
      const landed = await land(git, targets, () => retries++);
      ours.push(...landed);
    }
    git.close();
    stop.abort();
    const foreign = (await Promise.all(theirs)).flat();
    return { retries, lost: await lostOf(server, first ?? "", ours, foreign) };
  });
}

/** Pushes a commit, works on the next one for a while, and so on until told to stop; gives the commits that landed. */
export async function disturb(server: GitServer, app: number, stop: AbortSignal, pauseMs = 200): Promise<string[]> {
  const git = openEngine(server.url("mono"));
  const landed: string[] = [];
  while (!stop.aborted) {
    landed.push(...(await land(git, [app], () => undefined)));
    await delay(pauseMs * (0.5 + Math.random()), undefined, { signal: stop }).catch(() => undefined);
  }
  git.close();
  return landed;
}

/** Plans again on the new tip after every lost race; gives the commits that landed. */
async function land(git: RemoteRepository, apps: readonly number[], again: () => void): Promise<string[]> {
  for (let tries = 1; ; tries++) {
    const prepared = await prepareBumps(git, await tipOf(git), apps);
    const result = await git.push(prepared, signal);
    if (result.kind === "landed") return prepared.commits;
    if (result.kind !== "lost-race" && result.kind !== "unavailable") throw new Error(JSON.stringify(result));
    again();
    if (tries >= MAX_TRIES) throw new Error(`the race was lost ${tries} times in a row`);
  }
}

/** Commits that said to have landed and are not there exactly once, and ours that stand in another order. */
async function lostOf(server: GitServer, first: string, ours: string[], foreign: string[]): Promise<number> {
  const log = (await server.log("mono", `${first}..main`)).map(({ oid }) => oid).toReversed();
  const times = Map.groupBy(log, (oid) => oid);
  const missing = [...ours, ...foreign].filter((oid) => times.get(oid)?.length !== 1).length;
  const places = ours.map((oid) => log.indexOf(oid));
  const disordered = places.filter((place, index) => index > 0 && place < (places[index - 1] ?? 0)).length;
  return missing + disordered + Math.max(0, log.length - ours.length - foreign.length);
}
