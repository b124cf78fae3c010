import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { ReplayEvent, ReplayInput } from "../../src/argocd/replay.ts";
import { toSnapshot } from "../../src/argocd/snapshot.ts";
import type { RevisionFacts } from "../../src/model/observation.ts";

const GOLDEN = new URL("../golden/argocd/", import.meta.url);

/** One (change, Application) of the recordings, with the truth of its Pods. */
export interface Pair {
  scenario: string;
  app: string;
  sha: string;
  pushedAt: number;
  image: string;
  /** When Deployment and Pods were really ready with our image; undefined: never. */
  reallyReady: number | undefined;
  expect: string;
}

interface Mark {
  t: string;
  what: string;
  sha?: string;
}

interface RawPair {
  scenario: string;
  app: string;
  sha: string;
  pushedAt: string;
  image: string;
  reallyReady: string;
  expect: string;
}

export const pairs: Pair[] = (JSON.parse(readFileSync(new URL("verdicts.json", GOLDEN), "utf8")) as RawPair[]).map(
  (raw) => {
    const pushedAt = Date.parse(raw.pushedAt);
    const offset = /\+([\d.]+)s$/.exec(raw.reallyReady)?.[1];
    return { ...raw, pushedAt, reallyReady: offset === undefined ? undefined : pushedAt + Number(offset) * 1_000 };
  },
);

export function marksOf(scenario: string): Mark[] {
  const text = readFileSync(new URL(`recordings/${scenario}.marks.json`, GOLDEN), "utf8");
  return (JSON.parse(text) as { marks: Mark[] }).marks;
}

/** Every version of the Application in the scenario, as the watch brought them. */
export function eventsOf(scenario: string, app: string): ReplayEvent[] {
  return linesOf(scenario)
    .filter(({ name }) => name === app)
    .map(({ t, object }) => ({ at: Date.parse(t), snapshot: toSnapshot("main", object) }));
}

export function linesOf(scenario: string): { t: string; name: string; object: Record<string, unknown> }[] {
  return gunzipSync(readFileSync(new URL(`recordings/${scenario}.jsonl.gz`, GOLDEN)))
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { t: string; name: string; object: Record<string, unknown> });
}

export const scenarios: string[] = readdirSync(new URL("recordings/", GOLDEN))
  .filter((name) => name.endsWith(".jsonl.gz"))
  .map((name) => name.slice(0, -".jsonl.gz".length))
  .toSorted();

/**
 * The branch's history, oldest first. It was linear but for the commit that the force-push of scenario s dropped:
 * pushes by the marks, commits made between the scenarios by when Argo CD first reported them.
 */
const DROPPED = pairs.find(({ scenario }) => scenario === "s")?.sha;
const VALUES_REPOSITORY = new Set(["159b195acc0395e866c0c62f705972611edaa0a7"]);
const history: Map<string, number> = readHistory();

function readHistory(): Map<string, number> {
  const times = new Map<string, number>();
  const seen = (sha: string, at: number): void => {
    if (!/^[0-9a-f]{40}$/.test(sha)) return;
    times.set(sha, Math.min(times.get(sha) ?? Number.POSITIVE_INFINITY, at));
  };
  const pushed = scenarios.flatMap((scenario) => marksOf(scenario)).filter(({ sha }) => sha !== undefined);
  for (const scenario of scenarios) {
    for (const { t, object } of linesOf(scenario)) {
      const snapshot = toSnapshot("main", object);
      // The comparison that reported it had begun before.
      const at = Math.min(Date.parse(t), Date.parse(snapshot.reconciledAt ?? t));
      for (const sha of snapshot.revisions) seen(sha, at);
    }
  }
  for (const { t, sha } of pushed) times.set(sha ?? "", Date.parse(t));
  return times;
}

/** What Git would answer about every commit of the recordings. */
export function factsFor(pair: Pair): Map<string, RevisionFacts> {
  const facts = new Map<string, RevisionFacts>();
  for (const [sha, at] of history) {
    const sameRepository = VALUES_REPOSITORY.has(pair.sha) === VALUES_REPOSITORY.has(sha);
    const covers =
      sha === pair.sha || (pair.sha !== DROPPED && sha !== DROPPED && sameRepository && at >= pair.pushedAt);
    const content = sha === pair.sha ? "ours" : covers ? contentAt(pair, at) : "unknown";
    facts.set(sha, { covers, content });
  }
  return facts;
}

/** The last push that set the Application's image decides. */
function contentAt(pair: Pair, at: number): RevisionFacts["content"] {
  const last = pairs
    .filter(({ app, sha, pushedAt }) => app === pair.app && pushedAt <= at && sha !== DROPPED)
    .toSorted((a, b) => a.pushedAt - b.pushedAt)
    .at(-1);
  return last === undefined || last.image === pair.image ? "ours" : "other";
}

/** The next push that gave the Application another image: the recorded world is only this change's until then. */
export function nextChange(pair: Pair): number {
  const later = pairs.filter(
    ({ app, pushedAt, image }) => app === pair.app && pushedAt > pair.pushedAt && image !== pair.image,
  );
  const forced = marksOf(pair.scenario).find(({ what }) => what.startsWith("force-push"));
  return Math.min(
    Number.POSITIVE_INFINITY,
    ...later.map(({ pushedAt }) => pushedAt),
    forced ? Date.parse(forced.t) : Number.POSITIVE_INFINITY,
  );
}

/** Scenario q ends a second before the Pods of the old image are gone; the next recording of that Application, d3, shows it. */
function withSequel(pair: Pair): ReplayEvent[] {
  const events = eventsOf(pair.scenario, pair.app);
  if (pair.scenario !== "q" || nextChange(pair) < Number.POSITIVE_INFINITY) return events;
  return [...events, ...eventsOf("d3", pair.app).slice(0, 2)];
}

export function replayOf(
  pair: Pair,
  options: { until?: number; settleMs?: number; lookEveryMs?: number } = {},
): ReplayInput {
  const until = options.until ?? Number.POSITIVE_INFINITY;
  const events = withSequel(pair).filter(({ at }) => at < until);
  const source = events[0]?.snapshot.sources.at(-1);
  const before = pairs.findLast(({ app, pushedAt }) => app === pair.app && pushedAt < pair.pushedAt)?.image;
  const running = events.findLast(({ at }) => at <= pair.pushedAt)?.snapshot.summaryImages ?? [];
  const old = new Set([
    ...(before === undefined ? [] : [before]),
    ...running.filter((image) => isSameRepository(image, pair.image)),
  ]);
  old.delete(pair.image);
  const forced = marksOf(pair.scenario).find(({ what }) => what.startsWith("force-push"));
  return {
    events,
    commit: pair.sha,
    repositoryUrl: source?.repoURL ?? "",
    branch: "main",
    paths: [source?.ref === undefined ? `${source?.path}/kustomization.yaml` : "multi/dev/values.yaml"],
    images: { new: [pair.image], old: [...old] },
    revisions: factsFor(pair),
    ...(forced === undefined || until <= Date.parse(forced.t) ? {} : { lostAt: Date.parse(forced.t) }),
    pushedAt: pair.pushedAt,
    ...(options.lookEveryMs === undefined ? {} : { lookEveryMs: options.lookEveryMs }),
    tailMs: 5 * 60_000,
    settings: { settleMs: options.settleMs ?? 30_000, timeoutMs: 13 * 60_000 },
  };
}

function isSameRepository(a: string, b: string): boolean {
  return a.slice(0, a.lastIndexOf(":")) === b.slice(0, b.lastIndexOf(":"));
}
