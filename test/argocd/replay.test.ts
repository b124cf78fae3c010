import { describe, expect, test } from "vitest";
import { type ReplayEvent, type ReplayInput, type ReplayStep, replay } from "../../src/argocd/replay.ts";
import { nextChange, type Pair, pairs, replayOf } from "./recordings.ts";

/**
 * Every recorded change of a real Argo CD, judged on a virtual clock. The recordings end 10 to 20 s after Healthy, so
 * the last state is kept standing. A change that the driver itself replaced after some seconds is judged as if nobody
 * had: its recording is cut at the next push, unless being replaced is what the recording shows.
 */
const EXPECTED: Record<string, string[]> = {
  VERIFIED: ["healthy"],
  "VERIFIED(zero)": ["healthy"],
  NOOP: ["healthy"],
  DEGRADED: ["failed(degraded)"],
  CRASHLOOP: ["failed(crashing)"],
  RENDER_FAILED: ["failed(render)"],
  SYNC_FAILED: ["failed(sync)"],
  LOST: ["failed(lost)"],
  SUPERSEDED: ["superseded"],
  "BLOCKED(manual)>VERIFIED": ["blocked(manual-sync)", "healthy"],
  "BLOCKED(window)>VERIFIED": ["blocked(sync-window)", "healthy"],
  "MISMATCH>VERIFIED": ["blocked(image-mismatch)", "healthy"],
  MISMATCH: ["blocked(image-mismatch)"],
};

/** Pairs whose label in verdicts.json is not what the recording shows. */
const DEVIATIONS: Record<string, { verdict: string[]; why: string }> = {
  "i hook-dev 88a1ddd": { verdict: ["healthy"], why: "it did become ready, after the truth's recording had ended" },
  "v win-dev 069de92": { verdict: ["healthy"], why: "the label is a slip: its Pods were ready after 4.5 s" },
};
const WHOLE = new Set(["SUPERSEDED", "LOST", "SYNC_FAILED"]);

const nameOf = (pair: Pair): string => `${pair.scenario} ${pair.app} ${pair.sha.slice(0, 7)}`;
const endOf = (steps: ReplayStep[]): string => steps.map(word).at(-1) ?? "";
const expectedOf = (pair: Pair): string[] => DEVIATIONS[nameOf(pair)]?.verdict ?? EXPECTED[pair.expect] ?? [];
const cutOf = (pair: Pair) => (WHOLE.has(pair.expect) ? {} : { until: nextChange(pair) });
const word = ({ verdict }: ReplayStep): string =>
  verdict.reason === undefined ? verdict.state : `${verdict.state}(${verdict.reason})`;

describe("a recorded change comes to the verdict that is right", () => {
  for (const pair of pairs) {
    const expected = expectedOf(pair);
    const why = DEVIATIONS[nameOf(pair)] === undefined ? "" : ` (${DEVIATIONS[nameOf(pair)]?.why})`;
    test(`${nameOf(pair)}: ${expected.join(", then ")}${why}`, () => {
      const steps = replay(replayOf(pair, cutOf(pair))).map(word);
      expect(expected.length).toBeGreaterThan(0);
      expect(steps.filter((step) => expected.includes(step))).toEqual(expected);
      expect(steps.at(-1)).toBe(expected.at(-1));
    });
  }
});

describe("no recorded change is called healthy before its Pods were ready, however it is looked at", () => {
  for (const settleMs of [30_000, 5_000, 1_000]) {
    for (const lookEveryMs of [0, 1_000, 10_000]) {
      test(`settling ${settleMs / 1_000} s, looking ${lookEveryMs === 0 ? "at every version" : `every ${lookEveryMs / 1_000} s`}`, () => {
        for (const pair of pairs) {
          // Its truth was not recorded to the end.
          if (nameOf(pair) === "i hook-dev 88a1ddd") continue;
          for (const cut of [{}, { until: nextChange(pair) }]) {
            const healthy = replay(replayOf(pair, { ...cut, settleMs, lookEveryMs })).find(
              ({ verdict }) => verdict.state === "healthy",
            );
            if (healthy === undefined) continue;
            expect(pair.reallyReady, nameOf(pair)).toBeDefined();
            expect(healthy.at, nameOf(pair)).toBeGreaterThanOrEqual(pair.reallyReady ?? 0);
          }
        }
      });
    }
  }
});

/** What a look that misses versions may end with instead: true as well, and later. */
const LESS_SEEN: Record<string, string> = {
  // Seen only while it was down.
  "n web-dev 58a5a6a": "failed(timed-out)",
  "q web-dev fe56bfb": "failed(timed-out)",
  // The failed operation stood for 22 ms before one of the newer commit replaced it.
  "i hook-dev 4e3d05d": "superseded",
  // The fix of the broken YAML holds the same image and lands before a slow look has confirmed the error.
  "d2 web-dev 7dd1c4c": "healthy",
  "d3 web-dev 8a5af5d": "healthy",
};

/** What is wrong with the end, or with the time of a healthy verdict; "" when nothing is. */
function wrongIn(pair: Pair, input: ReplayInput): string {
  const last = input.events.at(-1);
  if (last === undefined) return "nothing recorded";
  // It goes on like this for longer than the time limit.
  const steps = replay({ ...input, events: [...input.events, { ...last, at: last.at + 15 * 60_000 }] });
  const end = endOf(steps);
  if (![expectedOf(pair).at(-1), LESS_SEEN[nameOf(pair)]].includes(end)) return `${nameOf(pair)} ends ${end}`;
  const healthy = steps.find(({ verdict }) => verdict.state === "healthy");
  // The truth of that one was not recorded to the end.
  if (healthy === undefined || nameOf(pair) === "i hook-dev 88a1ddd") return "";
  return healthy.at >= (pair.reallyReady ?? Number.POSITIVE_INFINITY) ? "" : `${nameOf(pair)} is healthy too early`;
}

test.each([1_000, 10_000, 15_000])("looking every %i ms at what the watch kept gives the same ends", (lookEveryMs) => {
  const wrong = pairs.map((pair) => wrongIn(pair, replayOf(pair, { ...cutOf(pair), lookEveryMs })));
  expect(wrong.filter((what) => what !== "")).toEqual([]);
});

test("polling every 15 s, whenever it began, is late but never wrong", () => {
  const wrong: string[] = [];
  for (const pair of pairs) {
    for (const offset of [0, 3_000, 7_000, 11_000]) {
      const input = replayOf(pair, cutOf(pair));
      wrong.push(wrongIn(pair, { ...input, events: polled(input, 15_000, offset) }));
    }
  }
  expect(wrong.filter((what) => what !== "")).toEqual([]);
});

test("versions that come up to a second late, in any order, change nothing but the time", () => {
  const wrong: string[] = [];
  const random = randomOf(7);
  for (const pair of pairs) {
    for (let round = 0; round < 5; round++) {
      const input = replayOf(pair, cutOf(pair));
      const isOurs = ({ at }: ReplayEvent): boolean => at > input.pushedAt;
      const late = input.events.map((event) => ({ ...event, at: event.at + (isOurs(event) ? random() * 1_000 : 0) }));
      wrong.push(wrongIn(pair, { ...input, events: late.toSorted((a, b) => a.at - b.at) }));
    }
  }
  expect(wrong.filter((what) => what !== "")).toEqual([]);
});

test("versions that are lost at random make it late, never wrong", () => {
  const wrong: string[] = [];
  const random = randomOf(11);
  for (const pair of pairs) {
    for (const kept of [0.9, 0.7, 0.4]) {
      const input = replayOf(pair, cutOf(pair));
      // What stands in the end is always seen: the next list has it.
      const events = input.events.filter(
        ({ at }, index, all) => at <= input.pushedAt || index === all.length - 1 || random() < kept,
      );
      wrong.push(wrongIn(pair, { ...input, events }));
    }
  }
  expect(wrong.filter((what) => what !== "")).toEqual([]);
});

/** What stood at each look. */
function polled({ events, pushedAt }: ReplayInput, everyMs: number, offset: number): ReplayEvent[] {
  const last = events.at(-1)?.at ?? pushedAt;
  const found = events.filter(({ at }) => at <= pushedAt);
  for (let at = pushedAt + offset; at < last + everyMs; at += everyMs) {
    const standing = events.findLast((event) => event.at <= at)?.snapshot;
    if (standing !== undefined) found.push({ at, snapshot: standing });
  }
  return found;
}

/** mulberry32: the same numbers at every run. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

test("a sync that failed for 22 ms is remembered", () => {
  const pair = pairs.find(({ sha }) => sha.startsWith("4e3d05d"));
  if (pair === undefined) throw new Error("no such pair");
  const input = replayOf(pair);
  // As if the commits that came later had left the value alone.
  const revisions = new Map([...input.revisions].map(([sha, facts]) => [sha, { ...facts, content: "ours" as const }]));
  for (const lookEveryMs of [0, 10_000]) {
    const steps = replay({ ...input, revisions, lookEveryMs });
    expect(steps.map(word).at(-1)).toBe("failed(sync)");
    expect(steps.at(-1)?.verdict.message).toContain("failed");
  }
});

test("every verdict carries evidence", () => {
  for (const pair of pairs) {
    for (const { verdict } of replay(replayOf(pair))) {
      expect(verdict.evidence.length, `${nameOf(pair)} ${verdict.state}`).toBeGreaterThan(0);
    }
  }
});
