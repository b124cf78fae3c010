/**
 * What following many Applications costs: memory, CPU, the time from the event that completes the proof to the verdict,
 * and requests per delivery. The API server is another process; everything runs on loopback.
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { systemAmbient } from "../../src/ambient.ts";
import { type ArgoCdConnection, connectArgoCd } from "../../src/argocd/connection.ts";
import { baselineOf } from "../../src/model/baseline.ts";
import type { JudgeInput } from "../../src/model/judgement.ts";
import type { VerdictMemory } from "../../src/model/observation.ts";
import { imageOf, pathOf, REPOSITORY } from "./argocd-object.ts";
import { memoryOfRelease } from "./argocd-release.ts";
import type { Order, Report } from "./argocd-server.ts";

const APPLICATIONS = 10_000;
const DELIVERIES = 200;
const EVENTS_PER_SECOND = 40;
const STEADY_MS = 15_000;
const OLDER = "0".repeat(40);
const NEWER = "1".repeat(40);
const SETTINGS = { settleMs: 2_000, timeoutMs: 120_000 };

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

interface Row {
  what: string;
  value: number;
  unit: string;
}

/** Measures 10,000 Applications; one line per figure. */
export async function benchArgoCd({ json }: { json: boolean }): Promise<void> {
  const report = ({ what, value, unit }: Row): void => {
    const rounded = Math.round(value * 10) / 10;
    console.log(
      json
        ? JSON.stringify({ bench: "argocd", applications: APPLICATIONS, what, value: rounded, unit })
        : `${what}: ${rounded} ${unit}`,
    );
  };
  const server = fork(new URL("argocd-server.ts", import.meta.url), [String(APPLICATIONS)]);
  const folder = await mkdtemp(join(tmpdir(), "gitspan-bench-"));
  try {
    const url = await told(server, (message) => ("url" in message ? message.url : undefined));
    reportMemory("at the start", report);
    const startedAt = systemAmbient.clock.now();
    const connection = await connect(url, folder);
    while (!connection.ready().every(({ ok }) => ok)) await systemAmbient.clock.sleep(5);
    report({ what: "first list", value: systemAmbient.clock.now() - startedAt, unit: "ms" });
    reportMemory("after it", report);
    await benchFinding(connection, report);
    await benchSteady(server, report);
    await benchDeliveries(server, connection, report);
    reportMemory("in the end", report);
    await connection.close();
    const { bridge, floor } = await memoryOfRelease(folder, join(folder, "kubeconfig"));
    report({ what: "memory of a whole released bridge with all of them", value: bridge, unit: "MB" });
    report({ what: "memory of Node alone", value: floor, unit: "MB" });
  } finally {
    server.kill();
    await rm(folder, { recursive: true });
  }
}

async function connect(url: string, folder: string): Promise<ArgoCdConnection> {
  const file = join(folder, "kubeconfig");
  const cluster = { name: "c", cluster: { server: url, "insecure-skip-tls-verify": true } };
  const context = { name: "x", context: { cluster: "c", user: "u" } };
  const user = { name: "u", user: { token: "bench" } };
  await writeFile(
    file,
    JSON.stringify({ "current-context": "x", clusters: [cluster], contexts: [context], users: [user] }),
  );
  const log = { debug() {}, info() {}, warn: console.error, error: console.error };
  return connectArgoCd({ ambient: systemAmbient, log }, [
    {
      name: "main",
      kubernetes: { kind: "kubeconfig", file, context: undefined },
      server: { url, token: async () => "bench" },
      caFile: undefined,
      namespaces: [],
      refreshByAnnotation: false,
    },
  ]);
}

async function benchFinding(connection: ArgoCdConnection, report: (row: Row) => void): Promise<void> {
  const paths = Array.from({ length: 1_000 }, (_, number) => `${pathOf(number)}/kustomization.yaml`);
  const startedAt = performance.now();
  const found = await connection.find({ repositoryUrl: REPOSITORY, branch: "main", paths });
  report({ what: "finding the Applications of a batch of 1,000", value: performance.now() - startedAt, unit: "ms" });
  if (![...found.values()].every((refs) => refs.length === 1)) throw new Error("not every Application was found");
}

/** Argo CD compares each every four minutes; nobody is interested in any. */
async function benchSteady(server: ChildProcess, report: (row: Row) => void): Promise<void> {
  order(server, { eventsPerSecond: EVENTS_PER_SECOND });
  const before = process.cpuUsage();
  await systemAmbient.clock.sleep(STEADY_MS);
  const { user, system } = process.cpuUsage(before);
  report({
    what: `CPU at ${EVENTS_PER_SECOND} events a second`,
    value: (user + system) / 10 / STEADY_MS,
    unit: "% of a core",
  });
}

async function benchDeliveries(
  server: ChildProcess,
  connection: ArgoCdConnection,
  report: (row: Row) => void,
): Promise<void> {
  const decided = new Map<number, number>();
  let requests: Record<string, number> = {};
  server.on("message", (message: Report) => {
    if ("decided" in message) decided.set(message.decided, message.at);
    if ("requests" in message) ({ requests } = message);
  });
  const latencies = await Promise.all(
    Array.from({ length: DELIVERIES }, async (_, number) => {
      await systemAmbient.clock.sleep(number * 40);
      const following = follow(connection, number);
      order(server, { deploy: number, revision: NEWER, tag: "2.0.0" });
      const at = await following;
      return at - (decided.get(number) ?? Number.NaN);
    }),
  );
  order(server, { eventsPerSecond: 0 });
  await systemAmbient.clock.sleep(500);
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  report({ what: `deciding event to verdict, ${DELIVERIES} deliveries, median`, value: at(0.5), unit: "ms" });
  report({ what: `deciding event to verdict, ${DELIVERIES} deliveries, p99`, value: at(0.99), unit: "ms" });
  for (const what of ["refresh", "resource tree"]) {
    report({ what: `${what} requests per delivery`, value: (requests[what] ?? 0) / DELIVERIES, unit: "" });
  }
}

/** As a delivery does: looks when its Application changes and when the judge wants to. Gives the time of healthy. */
async function follow(connection: ArgoCdConnection, number: number): Promise<number> {
  const ref = { cluster: "main", namespace: "argocd", name: `app-${number}` };
  const signal = new AbortController().signal;
  const baseline = (await connection.snapshots(ref, undefined)).map((snapshot) => baselineOf(snapshot)).at(-1);
  const pushedAt = systemAmbient.clock.now();
  let memory: VerdictMemory = {};
  for (;;) {
    let againMs = 10_000;
    const changed = new AbortController();
    const stop = connection.onChange((other) => {
      if (other.name === ref.name) changed.abort();
    });
    for (const snapshot of await connection.snapshots(ref, memory.resourceVersion)) {
      const question: JudgeInput = {
        commit: NEWER,
        repositoryUrl: REPOSITORY,
        branch: "main",
        paths: [`${pathOf(number)}/kustomization.yaml`],
        images: { new: [imageOf(number, "2.0.0")], old: [imageOf(number, "1.0.0")] },
        snapshot,
        revisions: new Map([
          [OLDER, { covers: false, content: "unknown" }],
          [NEWER, { covers: true, content: "ours" }],
        ]),
        lost: false,
        baseline,
        memory,
        pushedAt,
        now: systemAmbient.clock.now(),
        settings: SETTINGS,
      };
      let judgement = connection.judge(question);
      if (judgement.inspect !== undefined) {
        const inspection = await connection.inspect(ref, judgement.inspect, signal);
        judgement = connection.judge({ ...question, inspection });
      }
      ({ memory } = judgement);
      if (judgement.verdict.state === "healthy") return performance.timeOrigin + performance.now();
      if (judgement.verdict.state === "failed") throw new Error(`${ref.name}: ${judgement.verdict.message}`);
      if (judgement.refresh) await connection.refresh(ref, signal);
      againMs = judgement.lookAgainMs;
    }
    if (!changed.signal.aborted) await systemAmbient.clock.sleep(againMs, changed.signal).catch(() => undefined);
    stop();
  }
}

/** The process as the system sees it, and what stays of its heap when it is cleaned up. */
function reportMemory(when: string, report: (row: Row) => void): void {
  const { rss } = process.memoryUsage();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  report({ what: `memory ${when}: process`, value: rss / 1e6, unit: "MB" });
  report({ what: `memory ${when}: heap that is used`, value: (heapUsed + external) / 1e6, unit: "MB" });
}

function order(server: ChildProcess, what: Order): void {
  server.send(what);
}

async function told<T>(server: ChildProcess, wanted: (message: Report) => T | undefined): Promise<T> {
  return new Promise((resolve) => {
    server.on("message", (message: Report) => {
      const found = wanted(message);
      if (found !== undefined) resolve(found);
    });
  });
}
