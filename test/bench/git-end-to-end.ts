/** From a build that is reported until its commit is on the remote: HTTP, database and the whole flow included. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startBridge, withStore } from "../../src/bridge.ts";
import type { GitServer } from "../fakes/git-http-server.ts";
import { openPlace, type Place, postBuild } from "./bridge-place.ts";
import type { Measure } from "./git-row.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const PATIENCE_MS = 300_000;
let serial = 0;

/** `counts`: how many builds are reported at once, each of an application of its own. */
export async function benchEndToEnd(
  server: GitServer,
  measure: Measure,
  input: { apps: number; counts: readonly number[] },
): Promise<void> {
  const counts = input.counts.filter((count) => count <= input.apps);
  const apps = Array.from({ length: Math.max(...counts) }, (_, app) => app);
  const place = await openPlace({ repositoryUrl: server.url("mono"), apps });
  const bridge = await startBridge({ configFile: place.configFile, log: silent });
  try {
    await withStore(place.configFile, (store) => store.createToken({ name: "ci", hash: place.hash, groups: [] }));
    // The first one pays for loading, connecting and discovering.
    await deliver(server, place, bridge.address, [0]);
    for (const count of counts) {
      const runs = count === 1 ? 7 : 1;
      const what = count === 1 ? "1 build, POST to remote" : `${count} builds at once, POST to remote`;
      await measure(what, { bumps: count, runs }, () => deliver(server, place, bridge.address, apps.slice(0, count)));
    }
  } finally {
    await bridge.close();
    await place.close();
  }
}

async function deliver(
  server: GitServer,
  place: Place,
  address: string,
  apps: readonly number[],
): Promise<{ acceptMs: number; lost: number }> {
  const before = await server.tip("mono");
  const tag = `5.0.${process.pid}.${serial++}`;
  const start = performance.now();
  const statuses = await Promise.all(apps.map((app) => postBuild(place, address, { app, tag })));
  const acceptMs = Math.round(performance.now() - start);
  const refused = statuses.filter((status) => status !== 202).length;
  const range = `${before}..refs/heads/main`;
  const count = async (): Promise<number> => Number(await server.git("mono", "rev-list", "--count", range));
  // The branch's file tells when to count: a git process every few milliseconds would stop the bridge, which runs here.
  const branch = join(server.dir("mono"), "refs/heads/main");
  let [tip, found] = [before, 0];
  while (found < apps.length - refused && performance.now() - start < PATIENCE_MS) {
    const now = (await readFile(branch, "utf8")).trim();
    if (now === tip) await delay(2);
    else [tip, found] = [now, await count()];
  }
  return { acceptMs, lost: apps.length - (await count()) };
}
