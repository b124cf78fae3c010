/**
 * What a bump costs on the wire and in time, against the floor (one POST of a pack that lies ready) and against other tools.
 * Everything runs over `git http-backend` on loopback, so the ratios tell more than the milliseconds.
 */
import { FLUSH, packet } from "../../src/git/pkt-line.ts";
import type { Oid, PreparedPush } from "../../src/model/git.ts";
import { initBare } from "../fakes/bare-repository.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { bump, openEngine, prepareBumps, tipOf } from "./git-bump.ts";
import { benchEndToEnd } from "./git-end-to-end.ts";
import { benchPeers, benchProcesses } from "./git-peers.ts";
import { type GitBenchRow, lineOf, type Measure, measuring, type Report } from "./git-row.ts";
import { benchWriters } from "./git-writers.ts";
import { FILES_PER_APP, monorepoStream, overlayOf } from "./monorepo.ts";

const RUNS = 7;
/** Other tools take minutes beyond. */
const PEER_FILES = 1000;
const END_TO_END_FILES = 20_000;

/** Measures 1,000 and 20,000 files, with `large` also 90,000 and the other tools at 20,000; one line per row. */
export async function benchGit(options: { json: boolean; large: boolean }): Promise<void> {
  const report = (row: GitBenchRow): void => {
    console.log(options.json ? JSON.stringify({ bench: "git", ...row }) : lineOf(row));
  };
  for (const files of options.large ? [1000, 20_000, 90_000] : [1000, 20_000]) {
    await benchSize(files, options.large ? 20 * PEER_FILES : PEER_FILES, report);
  }
}

async function benchSize(files: number, peerFiles: number, report: Report): Promise<void> {
  const server = await startGitServer();
  const apps = Math.ceil(files / FILES_PER_APP);
  try {
    await initBare(server.dir("mono"));
    await server.importStream("mono", monorepoStream(apps));
    const measure = measuring(server, files, report);
    await benchEngine(server, measure, apps);
    await benchFallback(server, measure, apps);
    await benchProcesses(server, measure, ["nothing", "engine"]);
    if (files <= peerFiles) await benchPeers(server, measure);
    for (const writers of [1, 5, 20]) if (files <= PEER_FILES) await benchWriters(server, measure, writers, apps);
    if (files <= END_TO_END_FILES) await benchEndToEnd(server, measure, { apps, counts: [1, 100, 1000, 2000] });
    await server.fsck("mono");
  } finally {
    await server.close();
  }
}

async function benchEngine(server: GitServer, measure: Measure, apps: number): Promise<void> {
  const url = server.url("mono");
  const batch = (size: number): number[] => Array.from({ length: size }, (_, i) => (i * 7) % apps);
  const warm = openEngine(url);
  let tip = await bump(warm, await tipOf(warm), [7]);
  const ready: PreparedPush[] = [];
  for (let run = 0, base = tip; run <= RUNS; run++) {
    const prepared = await prepareBumps(warm, base, [7]);
    ready.push(prepared);
    base = prepared.head;
  }
  const floor = async (): Promise<void> => {
    const prepared = ready.shift();
    if (prepared !== undefined) tip = await post(server, prepared);
  };
  // The first one pays for loading the client.
  await floor();
  await measure("floor: one POST of a ready pack", { runs: RUNS }, floor);
  await measure("one bump, warm", { runs: RUNS }, async () => {
    tip = await bump(warm, tip, [7]);
  });
  await measure("one bump, warm, with a look at the branch", { runs: RUNS }, async () => {
    tip = await bump(warm, await tipOf(warm), [7]);
  });
  await measure("one bump, cold", { runs: RUNS }, async () => {
    const cold = openEngine(url);
    tip = await bump(cold, await tipOf(cold), [apps - 1]);
    cold.close();
  });
  for (const size of [100, 1000].filter((bumps) => bumps <= apps)) {
    await measure(`${size} bumps in one push, cold`, { bumps: size, runs: 3 }, async () => {
      const cold = openEngine(url);
      tip = await bump(cold, await tipOf(cold), batch(size));
      cold.close();
    });
    const again = openEngine(url);
    tip = await bump(again, tip, batch(size));
    await measure(`${size} bumps in one push, warm`, { bumps: size, runs: 3 }, async () => {
      tip = await bump(again, tip, batch(size));
    });
    again.close();
  }
  warm.close();
}

/** From a server that gives out no single objects: the first bump, and one after somebody else has moved the branch. */
async function benchFallback(server: GitServer, measure: Measure, apps: number): Promise<void> {
  await server.git("mono", "config", "uploadpack.allowFilter", "false");
  const git = openEngine(server.url("mono"));
  await measure("no partial clones: one bump, cold", { runs: 1 }, async () => {
    await bump(git, await tipOf(git), [3]);
  });
  for (let move = 0; move < 3; move++) {
    await server.commit("mono", { [overlayOf(apps - 1)]: `newTag: "${move}"\n` }, "by hand");
    const what = move === 0 ? "after the first foreign commit" : "after a foreign commit";
    if (move === 1) continue;
    await measure(`no partial clones: one bump ${what}`, { runs: 1 }, async () => {
      await bump(git, await tipOf(git), [3]);
    });
  }
  git.close();
  await server.git("mono", "config", "uploadpack.allowFilter", "true");
}

/** The least that a push can be: nothing is read, planned or checked. */
async function post(server: GitServer, prepared: PreparedPush): Promise<Oid> {
  const command = packet(`${prepared.base} ${prepared.head} refs/heads/main\0 report-status side-band-64k agent=floor`);
  const answer = await fetch(`${server.url("mono")}/git-receive-pack`, {
    method: "POST",
    headers: { "Content-Type": "application/x-git-receive-pack-request" },
    body: Buffer.concat([command, FLUSH, prepared.pack]),
  });
  const text = await answer.text();
  if (!text.includes("ok refs/heads/main")) throw new Error(`the floor did not hold: ${text}`);
  return prepared.head;
}
