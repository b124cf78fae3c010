import { accept } from "../../src/delivery/accept.ts";
import type { Settings } from "../../src/delivery/ports.ts";
import { startRollback } from "../../src/delivery/rollback.ts";
import type { Ids, Random } from "../../src/model/ambient.ts";
import type { BuildReport } from "../../src/model/build.ts";
import type { Target } from "../../src/model/target.ts";
import { digestOf } from "../../src/trust/registry.ts";
import type { MemoryGit } from "../fakes/memory-git.ts";
import type { MemoryStore } from "../fakes/memory-store.ts";
import type { MemoryTrust } from "../fakes/memory-trust.ts";
import { deliveryOf } from "./invariants.ts";
import { appNames, BRANCH, kustomizationOf, repositoryOf } from "./settings.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface ScenarioDeps {
  time: VirtualTime;
  random: Random;
  ids: Ids;
  store: MemoryStore;
  git: MemoryGit;
  trust: MemoryTrust;
  settings: Settings;
  targets: readonly Target[];
  trace: (line: string) => void;
}

/** What happened that the invariants are measured against. */
export interface ScenarioRecord {
  accepted: string[];
  sourceTimes: Map<string, number>;
  foreign: string[];
  /** People's reverts, by commit: the delivery that they took out. */
  reverts: Map<string, { target: string; delivery: string }>;
  /** Foreign commits by the target whose file they touch. */
  touched: Map<string, string[]>;
  /** When it was signed whence a digest comes, for those that were. */
  provenAt: Map<string, number>;
  /** Targets that a person has released from a pin. */
  released: Set<string>;
}

const silentMetrics = {
  buildAccepted() {},
  stage() {},
  push() {},
  commitToHealthy() {},
  rollback() {},
  trust() {},
  event() {},
};
const log = { debug() {}, info() {}, warn() {}, error() {} };
const caller = { subject: "token:ci", groups: [] };

/** A calm run goes on long after the storm. */
const CALM_MS = 600_000;

/** Schedules builds, repeats of builds and other people's commits over the first minutes of the run. */
export function scheduleScenario(deps: ScenarioDeps, record: ScenarioRecord): void {
  const { time, random } = deps;
  const builds = 6 + Math.floor(random.next() * 24);
  // Some runs have all their builds within seconds of each other, others spread over two minutes.
  const rushMs = 5_000 + random.next() ** 2 * 115_000;
  // In half of the runs they come in the order of their sources, slowly enough to become healthy, or to fail.
  const isCalm = random.next() < 0.5;
  const reports = Array.from({ length: builds }, (_, index) => reportOf(deps, index, isCalm));
  for (const [index, report] of reports.entries()) {
    const at = isCalm ? 1_000 + (index / builds) * CALM_MS : 1_000 + random.next() * rushMs;
    time.after(at, () => void deliver(deps, record, report));
    if (random.next() < 0.25) time.after(at + random.next() * 30_000, () => void deliver(deps, record, report));
    const again = builtAgain(report);
    if (random.next() < 0.25) time.after(at + random.next() * 120_000, () => void deliver(deps, record, again));
  }
  const foreigners = Math.floor(random.next() * 8);
  for (let index = 0; index < foreigners; index++) {
    time.after(random.next() * (isCalm ? CALM_MS : 150_000), () => writeForeign(deps, record, index));
  }
  for (let index = Math.floor(random.next() * 4); index > 0; index--) {
    time.after(20_000 + random.next() * (isCalm ? CALM_MS : 140_000), () => void act(deps, record));
  }
}

/** A person rolls a target back, holds what stands there, or releases it. */
async function act(deps: ScenarioDeps, record: ScenarioRecord): Promise<void> {
  const { random, targets, store, trace, ids } = deps;
  const target = targets[Math.floor(random.next() * targets.length)];
  const kind = random.next();
  if (target === undefined) return;
  if (kind < 0.5) {
    const request = { caller, targetId: target.id, why: "people say so" };
    const said = await startRollback(
      { ...deps, settings: () => deps.settings, log, metrics: silentMetrics },
      request,
    ).then(
      (begun) => `${begun.kind} as ${begun.delivery.id}`,
      (error: unknown) => `refused: ${String(error)}`,
    );
    trace(`rollback of ${target.id} ${said}`);
  } else if (kind < 0.75) {
    const writing = (await store.pending(target.id)).find(({ delivery }) => delivery.phase === "writing");
    const digest = writing?.delivery.images[0]?.digest;
    if (digest === undefined) return;
    await store.createHold({ id: ids.uuid(), targetId: target.id, digest, by: "ada", why: "it leaks" });
    trace(`hold on ${digest.slice(-4)} at ${target.id}`);
  } else if (await store.unpin(target.id)) {
    record.released.add(target.id);
    trace(`released ${target.id}`);
  }
}

/** Source times are spread, so that builds arrive out of order, unless the run is calm. */
function reportOf({ time, random }: ScenarioDeps, index: number, isCalm: boolean): BuildReport {
  const apps = appNames();
  const app = apps[Math.floor(random.next() * apps.length)] ?? "cart";
  const age = isCalm ? 1_000 - index : Math.floor(random.next() * 1_000);
  const sourceTime = time.now() - age * 1_000 - index;
  return {
    artifacts: [
      {
        name: app,
        repository: repositoryOf(app),
        tag: random.next() < 0.2 ? `2.${index}.0-crash` : `2.${index}.0`,
        ...(random.next() < 0.5 ? { digest: `sha256:${index.toString(16).padStart(64, "0")}` as const } : {}),
      },
    ],
    source: {
      repository: `https://git.simulated/shop/${app}.git`,
      commit: index.toString(16).padStart(40, "0"),
      time: sourceTime,
    },
    run: { kind: "PipelineRun", uid: `run-${index}`, name: `run-${index}`, finishedAt: time.now() + index },
  };
}

/** Another run of the same source commit gives other bytes. */
function builtAgain(report: BuildReport): BuildReport {
  const uid = `${report.run?.uid}-again`;
  return {
    ...report,
    artifacts: report.artifacts.map(({ digest: _digest, ...artifact }) => ({
      ...artifact,
      tag: artifact.tag?.replace(".0", ".0-again") ?? "again",
    })),
    run: { kind: "PipelineRun", uid, name: uid, finishedAt: (report.run?.finishedAt ?? 0) + 1_000 },
  };
}

/** Puts what is built into its registry, and mostly signs it: at once, soon, or too late. */
function publish({ trust, time, random, trace }: ScenarioDeps, record: ScenarioRecord, report: BuildReport): void {
  const { source, run } = report;
  for (const { repository, tag = "", digest = digestOf(Buffer.from(`${repository}:${tag}`)) } of report.artifacts) {
    if (!trust.covers(repository)) continue;
    trust.push(repository, tag, digest);
    if (random.next() < 0.2) continue;
    const sign = (): void => {
      trust.sign(repository, digest);
      trust.attest(repository, digest, { source, run: run?.uid ?? "" });
      record.provenAt.set(digest, Math.min(record.provenAt.get(digest) ?? Number.POSITIVE_INFINITY, time.now()));
      trace(`signed ${repository}:${tag}`);
    };
    if (random.next() < 0.5) sign();
    else time.after(random.next() * 90_000, sign);
  }
}

async function deliver(deps: ScenarioDeps, record: ScenarioRecord, report: BuildReport): Promise<void> {
  const { store, ids, trust, settings, trace } = deps;
  const request = { report, caller };
  publish(deps, record, report);
  const result = await accept(
    { store, ids, trust, settings: () => settings, metrics: silentMetrics },
    request,
    new AbortController().signal,
  );
  trace(`${result.kind} ${report.artifacts[0]?.repository}:${report.artifacts[0]?.tag} as ${result.build.id}`);
  record.accepted.push(result.build.id);
  record.sourceTimes.set(result.build.id, report.source.time ?? 0);
}

/**
 * Documentation nobody watches, another value where ours stands, or a revert: of our newest commit by name, or without
 * a word back to what stood before it.
 */
function writeForeign(deps: ScenarioDeps, record: ScenarioRecord, index: number): void {
  const { random, git, targets, trace } = deps;
  const target = targets[Math.floor(random.next() * targets.length)];
  const kind = random.next();
  if (target === undefined) return;
  const path = `apps/${target.app}/${target.environment}/kustomization.yaml`;
  let oid: string;
  if (kind < 0.5) {
    oid = git.commit(BRANCH, { [`docs/${index}.md`]: `note ${index}\n` }, `docs: note ${index}`);
  } else if (kind < 0.7) {
    oid = git.commit(BRANCH, { [path]: kustomizationOf(target, `0.0.${index}-foreign`) }, "fix by hand");
  } else {
    const ours = git.log(BRANCH).find(({ message }) => message.includes(`Gitspan-Target: ${target.id}\n`));
    const before = ours?.parents[0] === undefined ? undefined : git.textAt(ours.parents[0], path);
    if (ours === undefined || before === undefined || git.show(BRANCH, path) !== git.textAt(ours.oid, path)) return;
    const [subject] = ours.message.split("\n");
    const named = `Revert "${subject}"\n\nThis reverts commit ${ours.oid}.`;
    oid = git.commit(BRANCH, { [path]: before }, random.next() < 0.6 ? named : "back to what works");
    record.reverts.set(oid, { target: target.id, delivery: deliveryOf(ours) ?? "" });
  }
  trace(`foreign commit ${oid.slice(0, 8)}`);
  record.foreign.push(oid);
  if (kind >= 0.5) record.touched.set(target.id, [...(record.touched.get(target.id) ?? []), oid]);
}
