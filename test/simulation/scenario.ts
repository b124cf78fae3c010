import { accept } from "../../src/delivery/accept.ts";
import type { Settings } from "../../src/delivery/ports.ts";
import type { Ids, Random } from "../../src/model/ambient.ts";
import type { BuildReport } from "../../src/model/build.ts";
import type { Target } from "../../src/model/target.ts";
import type { MemoryGit } from "../fakes/memory-git.ts";
import type { MemoryStore } from "../fakes/memory-store.ts";
import { appNames, BRANCH, kustomizationOf, repositoryOf } from "./settings.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface ScenarioDeps {
  time: VirtualTime;
  random: Random;
  ids: Ids;
  store: MemoryStore;
  git: MemoryGit;
  settings: Settings;
  targets: readonly Target[];
  trace: (line: string) => void;
}

/** What happened that the invariants are measured against. */
export interface ScenarioRecord {
  accepted: string[];
  sourceTimes: Map<string, number>;
  foreign: string[];
}

const silentMetrics = { buildAccepted() {}, stage() {}, push() {}, commitToHealthy() {}, rollback() {}, event() {} };
const caller = { subject: "token:ci", groups: [] };

/** Schedules builds, repeats of builds and other people's commits over the first minutes of the run. */
export function scheduleScenario(deps: ScenarioDeps, record: ScenarioRecord): void {
  const { time, random } = deps;
  const builds = 6 + Math.floor(random.next() * 24);
  // Some runs have all their builds within seconds of each other, others spread over two minutes.
  const rushMs = 5_000 + random.next() ** 2 * 115_000;
  const reports = Array.from({ length: builds }, (_, index) => reportOf(deps, index));
  for (const report of reports) {
    const at = 1_000 + random.next() * rushMs;
    time.after(at, () => void deliver(deps, record, report));
    if (random.next() < 0.25) time.after(at + random.next() * 30_000, () => void deliver(deps, record, report));
  }
  const foreigners = Math.floor(random.next() * 8);
  for (let index = 0; index < foreigners; index++) {
    time.after(random.next() * 150_000, () => writeForeign(deps, record, index));
  }
}

/** Source times are spread, so that builds arrive out of order. */
function reportOf({ time, random }: ScenarioDeps, index: number): BuildReport {
  const apps = appNames();
  const app = apps[Math.floor(random.next() * apps.length)] ?? "cart";
  const sourceTime = time.now() - Math.floor(random.next() * 1_000) * 1_000 - index;
  return {
    artifacts: [{ name: app, repository: repositoryOf(app), tag: `1.${index}.0` }],
    source: {
      repository: `https://git.simulated/shop/${app}.git`,
      commit: index.toString(16).padStart(40, "0"),
      time: sourceTime,
    },
    run: { kind: "PipelineRun", uid: `run-${index}`, name: `run-${index}`, finishedAt: time.now() + index },
  };
}

async function deliver(deps: ScenarioDeps, record: ScenarioRecord, report: BuildReport): Promise<void> {
  const { store, ids, settings, trace } = deps;
  const request = { report, caller };
  const result = await accept({ store, ids, settings: () => settings, metrics: silentMetrics }, request);
  trace(`${result.kind} ${report.artifacts[0]?.repository}:${report.artifacts[0]?.tag} as ${result.build.id}`);
  record.accepted.push(result.build.id);
  record.sourceTimes.set(result.build.id, report.source.time ?? 0);
}

/** Documentation nobody watches, another value where ours stands, or a revert of our newest commit. */
function writeForeign(deps: ScenarioDeps, record: ScenarioRecord, index: number): void {
  const { random, git, targets, trace } = deps;
  const target = targets[Math.floor(random.next() * targets.length)];
  const kind = random.next();
  if (target === undefined) return;
  const path = `apps/${target.app}/${target.environment}/kustomization.yaml`;
  let oid: string;
  if (kind < 0.6) {
    oid = git.commit(BRANCH, { [`docs/${index}.md`]: `note ${index}\n` }, `docs: note ${index}`);
  } else if (kind < 0.85) {
    oid = git.commit(BRANCH, { [path]: kustomizationOf(target, `0.0.${index}-foreign`) }, "fix by hand");
  } else {
    const head = git.log(BRANCH)[0];
    if (head === undefined || !head.message.includes(`Gitspan-Target: ${target.id}\n`)) return;
    const message = `Revert "${head.message.split("\n")[0]}"\n\nThis reverts commit ${head.oid}.`;
    oid = git.commit(BRANCH, { [path]: kustomizationOf(target, "1.0.0") }, message);
  }
  trace(`foreign commit ${oid.slice(0, 8)}`);
  record.foreign.push(oid);
}
