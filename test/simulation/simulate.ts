import type { GitRepository } from "../../src/delivery/ports.ts";
import { runWorker } from "../../src/delivery/worker.ts";
import type { Ids, Random } from "../../src/model/ambient.ts";
import type { Delivery } from "../../src/model/delivery.ts";
import type { PreparedPush, PushResult } from "../../src/model/git.ts";
import { datedHistory } from "../fakes/dated-history.ts";
import { MemoryArgoCd } from "../fakes/memory-argocd.ts";
import { MemoryGit } from "../fakes/memory-git.ts";
import { MemoryStore } from "../fakes/memory-store.ts";
import { MemoryTrust } from "../fakes/memory-trust.ts";
import { changesOf } from "./changes.ts";
import { violations } from "./invariants.ts";
import { Replica, type Weather } from "./replica.ts";
import { rollbackViolations } from "./rollback-invariants.ts";
import { type ScenarioRecord, scheduleScenario } from "./scenario.ts";
import {
  BRANCH,
  kustomizationOf,
  PROVEN_REGISTRY,
  REPOSITORY,
  REPOSITORY_URL,
  settingsOfSimulation,
  targetsOfSimulation,
} from "./settings.ts";
import { trustViolations } from "./trust-invariants.ts";
import { seededRandom, VirtualTime } from "./virtual-time.ts";

export interface SimulationResult {
  seed: number;
  violations: string[];
  trace: string[];
  events: number;
  commits: number;
  deliveries: number;
  crashes: number;
  /** How often each outcome came out. */
  outcomes: Record<string, number>;
}

const START = Date.UTC(2026, 0, 1);
const STORM_MS = 180_000;
/** Everything that people and builds do has begun by then. */
const SCENARIO_MS = 660_000;
const END_MS = 3 * 3_600_000;
const SLICE_MS = 10_000;
const CALM: Weather = { crash: 0, stall: 0, latencyMs: 20 };

/** One run of the whole delivery flow under a seed: three minutes of storm, then calm until everything has ended. */
export async function simulate(seed: number): Promise<SimulationResult> {
  const time = new VirtualTime(START);
  const random = seededRandom(seed);
  const trace: string[] = [];
  const say = (line: string) => trace.push(`${((time.now() - START) / 1000).toFixed(3).padStart(9)}s ${line}`);
  const storm: Weather = {
    crash: random.next() * 0.004,
    stall: random.next() * 0.002,
    latencyMs: 30 + random.next() * 400,
  };
  const weather = () => (time.now() - START < STORM_MS ? storm : CALM);

  const targets = targetsOfSimulation();
  const settings = settingsOfSimulation(targets);
  const ids = countingIds();
  const git = new MemoryGit();
  git.commit(
    BRANCH,
    Object.fromEntries(
      targets.map((target) => [
        `apps/${target.app}/${target.environment}/kustomization.yaml`,
        kustomizationOf(target, "1.0.0"),
      ]),
    ),
    "first",
  );
  const store = new MemoryStore({ clock: time });
  const trust = new MemoryTrust([PROVEN_REGISTRY]);
  const argocd = new MemoryArgoCd({ clock: time, random, git, branch: BRANCH, repositoryUrl: REPOSITORY_URL, targets });
  const record: ScenarioRecord = {
    accepted: [],
    sourceTimes: new Map(),
    foreign: [],
    reverts: new Map(),
    touched: new Map(),
    released: new Set(),
    provenAt: new Map(),
  };
  const unreliable = unreliablePush(git, { time, random, weather, say });

  let crashes = 0;
  let started = 0;
  const start = () => {
    const name = `bridge-${++started}`;
    const replica: Replica = new Replica({
      name,
      time,
      random,
      weather,
      trace: say,
      onCrash: () => {
        crashes++;
        time.after(500 + random.next() * 5_000, start);
      },
    });
    say(`${name} starts`);
    const repository = replica.port("git", unreliable);
    const never = new AbortController().signal;
    void runWorker(
      {
        ambient: { clock: replica.clock, random, ids },
        store: replica.port("store", store),
        history: datedHistory,
        repository: (wanted) => (wanted === REPOSITORY ? repository : undefined),
        argocd: replica.port("argocd", argocd, ["judge"]),
        trust: replica.port("trust", trust, ["covers"]),
        settings: () => settings,
        ids,
        log: { debug() {}, info() {}, warn: logTo(say, name), error: logTo(say, name) },
        metrics: {
          buildAccepted() {},
          stage() {},
          push() {},
          commitToHealthy() {},
          rollback() {},
          trust() {},
          event() {},
        },
      },
      { owner: name, lanes: 2 },
      { stop: never, abort: never },
    );
  };
  start();
  start();
  scheduleScenario({ time, random, ids, store, git, trust, settings, targets, trace: say }, record);

  let events = await time.run(START + STORM_MS);
  let deliveries = (await store.deliveries({ limit: 1_000 })).items;
  while ((!deliveries.every(isAtRest) || time.now() < START + SCENARIO_MS) && time.now() < START + END_MS) {
    events += await time.run(time.now() + SLICE_MS);
    deliveries = (await store.deliveries({ limit: 1_000 })).items;
  }
  const commits = git.log(BRANCH);
  const history = { commits, deliveries, ...record, changes: await changesOf(git, commits) };
  const targetIds = targets.map(({ id }) => id);
  const found = [
    ...violations(history),
    ...trustViolations(history),
    ...rollbackViolations({
      ...history,
      holding: new Set(targets.filter(({ policy }) => policy.onManualRevert !== undefined).map(({ id }) => id)),
      states: [...(await store.targetStates(targetIds)).values()],
      holds: await store.holds(targetIds),
    }),
  ];
  const outcomes: Record<string, number> = {};
  for (const delivery of deliveries) {
    const key = `${delivery.rollback === undefined ? "" : `${delivery.rollback.trigger} rollback `}${delivery.outcome ?? delivery.phase}`;
    outcomes[key] = (outcomes[key] ?? 0) + 1;
  }
  return {
    seed,
    violations: found,
    trace,
    events,
    commits: commits.length,
    deliveries: deliveries.length,
    crashes,
    outcomes,
  };
}

function isAtRest(delivery: Delivery): boolean {
  return delivery.phase === "done" || delivery.waitReason === "pin" || delivery.waitReason === "hold";
}

interface StormDeps {
  time: VirtualTime;
  random: Random;
  weather: () => Weather;
  say: (line: string) => void;
}

/** Answers get lost after the push landed, and pushes land long after their sender gave up on them. */
function unreliablePush(git: MemoryGit, { time, random, weather, say }: StormDeps): GitRepository {
  return new Proxy(git, {
    get(object, property) {
      const value: unknown = Reflect.get(object, property);
      if (property !== "push") return typeof value === "function" ? value.bind(object) : value;
      return async (prepared: PreparedPush, signal: AbortSignal): Promise<PushResult> => {
        const luck = weather() === CALM ? 1 : random.next();
        const head = prepared.head.slice(0, 8);
        if (luck < 0.1) {
          const result = await git.push(prepared, signal);
          say(`push of ${head} ${result.kind}, the answer is lost`);
          return { kind: "unclear", message: "connection reset" };
        }
        if (luck < 0.2) {
          const lateMs = random.next() * 90_000;
          say(`push of ${head} stalls for ${Math.round(lateMs)} ms`);
          time.after(
            lateMs,
            () => void git.push(prepared, signal).then((late) => say(`stalled ${head}: ${late.kind}`)),
          );
          return { kind: "unclear", message: "timed out" };
        }
        if (luck < 0.25) return { kind: "unavailable", message: "503" };
        const result = await git.push(prepared, signal);
        say(`push of ${head}: ${result.kind}`);
        return result;
      };
    },
  });
}

function logTo(say: (line: string) => void, name: string): (message: string, fields?: Record<string, unknown>) => void {
  return (message, fields) =>
    say(`${name}: ${message} ${fields?.["error"] instanceof Error ? fields["error"].message : ""}`);
}

function countingIds(): Ids {
  let next = 0;
  return { uuid: () => `00000000-0000-7000-8000-${(++next).toString(16).padStart(12, "0")}` };
}
