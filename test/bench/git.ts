/**
 * What a bump costs on the wire and in time, against the floor: one POST of a pack that lies ready. Everything runs over
 * `git http-backend` on loopback, so the ratios tell more than the milliseconds.
 */
import { systemAmbient } from "../../src/ambient.ts";
import { FLUSH, packet } from "../../src/git/pkt-line.ts";
import { type HttpRepository, openHttpRepository } from "../../src/git/repository.ts";
import type { CommitPlan, Oid, PreparedPush } from "../../src/model/git.ts";
import { initBare } from "../fakes/bare-repository.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { FILES_PER_APP, monorepoStream, overlayOf } from "./monorepo.ts";

export interface GitBenchRow {
  files: number;
  what: string;
  bumps: number;
  /** The median of the runs. */
  ms: number;
  requests: number;
  /** Bytes the engine received, and sent. */
  bytesIn: number;
  bytesOut: number;
}

export interface GitBenchOptions {
  json: boolean;
  /** Numbers of files; default 1,000 and 20,000, and 90,000 with `large`. */
  sizes?: number[];
  large?: boolean;
}

const { signal } = new AbortController();
const WHO = { name: "gitspan", email: "gitspan@example.com" };
const RUNS = 7;
let serial = 0;

/** Measures and prints one row per size and way; with `json` each row is one line of JSON. */
export async function benchGit(options: GitBenchOptions): Promise<GitBenchRow[]> {
  const sizes = options.sizes ?? (options.large === true ? [1000, 20_000, 90_000] : [1000, 20_000]);
  const rows: GitBenchRow[] = [];
  const report = (row: GitBenchRow): void => {
    rows.push(row);
    console.log(options.json ? JSON.stringify({ bench: "git", ...row }) : lineOf(row));
  };
  for (const files of sizes) {
    const server = await startGitServer();
    try {
      await initBare(server.dir("mono"));
      await server.importStream("mono", monorepoStream(Math.ceil(files / FILES_PER_APP)));
      await benchSize(server, files, report);
      await server.fsck("mono");
    } finally {
      await server.close();
    }
  }
  return rows;
}

async function benchSize(server: GitServer, files: number, report: (row: GitBenchRow) => void): Promise<void> {
  const apps = Math.ceil(files / FILES_PER_APP);
  const open = (): HttpRepository => openHttpRepository({ ambient: systemAmbient }, { url: server.url("mono") });
  const measure = async (what: string, bumps: number, runs: number, once: () => Promise<void>): Promise<void> => {
    const times: number[] = [];
    for (let run = 0; run < runs; run++) {
      server.resetStats();
      const start = performance.now();
      await once();
      times.push(performance.now() - start);
    }
    const { requests, bytesIn, bytesOut } = server.stats();
    const ms = Math.round((times.toSorted((a, b) => a - b)[Math.floor(runs / 2)] ?? 0) * 10) / 10;
    report({ files, what, bumps, ms, requests, bytesIn: bytesOut, bytesOut: bytesIn });
  };
  const batch = (size: number): number[] => Array.from({ length: size }, (_, i) => (i * 7) % apps);

  const warm = open();
  let tip = await bump(warm, await warm.tip("main", signal), [7]);
  const ready: PreparedPush[] = [];
  for (let run = 0, base = tip; run <= RUNS; run++) {
    const prepared = await prepare(warm, base, [7]);
    ready.push(prepared);
    base = prepared.head;
  }
  const floor = async (): Promise<void> => {
    const prepared = ready.shift();
    if (prepared !== undefined) tip = await post(server, prepared);
  };
  // The first one pays for loading the client.
  await floor();
  await measure("floor: one POST of a ready pack", 1, RUNS, floor);
  await measure("one bump, warm", 1, RUNS, async () => {
    tip = await bump(warm, tip, [7]);
  });
  await measure("one bump, warm, with a look at the branch", 1, RUNS, async () => {
    tip = await bump(warm, await warm.tip("main", signal), [7]);
  });
  await measure("one bump, cold", 1, RUNS, async () => {
    const cold = open();
    tip = await bump(cold, await cold.tip("main", signal), [apps - 1]);
    cold.close();
  });
  for (const size of [100, 1000].filter((bumps) => bumps <= apps)) {
    await measure(`${size} bumps in one push, cold`, size, 3, async () => {
      const cold = open();
      tip = await bump(cold, await cold.tip("main", signal), batch(size));
      cold.close();
    });
    const again = open();
    tip = await bump(again, tip, batch(size));
    await measure(`${size} bumps in one push, warm`, size, 3, async () => {
      tip = await bump(again, tip, batch(size));
    });
    again.close();
  }
  warm.close();
}

/** Reads the files, plans one commit per application, pushes; gives the new tip. */
async function bump(git: HttpRepository, tip: Oid, apps: number[]): Promise<Oid> {
  const prepared = await prepare(git, tip, apps);
  const result = await git.push(prepared, signal);
  if (result.kind !== "landed") throw new Error(`the push did not land: ${JSON.stringify(result)}`);
  return prepared.head;
}

async function prepare(git: HttpRepository, tip: Oid, apps: number[]): Promise<PreparedPush> {
  const files = await git.readFiles(tip, apps.map(overlayOf), signal);
  const plans = apps.map((app): CommitPlan => {
    const path = overlayOf(app);
    const text = new TextDecoder().decode(files.get(path)).replace(/newTag: "[^"]*"/, `newTag: "2.0.${serial++}"`);
    const content = new TextEncoder().encode(text);
    const message = `deploy(app-${app}): dev 2.0.${serial}\n`;
    return { files: new Map([[path, content]]), message, author: WHO, committer: WHO, time: Date.now() };
  });
  return git.prepare("main", tip, plans, signal);
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

function lineOf(row: GitBenchRow): string {
  const cells = [
    `${row.files} files`.padEnd(14),
    row.what.padEnd(44),
    `${row.ms} ms`.padStart(11),
    `${row.requests} requests`.padStart(13),
    `${row.bytesIn} B in`.padStart(14),
    `${row.bytesOut} B out`.padStart(16),
  ];
  return cells.join(" ");
}
