import { describe, expect, test } from "vitest";
import { type ReplayStep, replay } from "../../src/argocd/replay.ts";
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

/** Pairs whose recording shows something else than the label says, and what the judge makes of them. */
const DEVIATIONS: Record<string, { verdict: string[]; why: string }> = {
  "i hook-dev 4e3d05d": { verdict: ["superseded"], why: "replaced by 88a1ddd before Argo CD gave up retrying" },
  "i hook-dev 88a1ddd": { verdict: ["healthy"], why: "it did become ready, after the truth's recording had ended" },
  "q web-dev fe56bfb": { verdict: ["failed(timed-out)"], why: "cut after two flaps; three make it crashing" },
  "v win-dev 069de92": { verdict: ["healthy"], why: "the label is a slip: its Pods were ready after 4.5 s" },
};
const WHOLE = new Set(["SUPERSEDED", "LOST", "SYNC_FAILED"]);

const nameOf = (pair: Pair): string => `${pair.scenario} ${pair.app} ${pair.sha.slice(0, 7)}`;
const word = ({ verdict }: ReplayStep): string =>
  verdict.reason === undefined ? verdict.state : `${verdict.state}(${verdict.reason})`;

describe("a recorded change comes to the verdict that is right", () => {
  for (const pair of pairs) {
    const deviation = DEVIATIONS[nameOf(pair)];
    const expected = deviation?.verdict ?? EXPECTED[pair.expect] ?? [];
    const why = deviation === undefined ? "" : ` (${deviation.why})`;
    test(`${nameOf(pair)}: ${expected.join(", then ")}${why}`, () => {
      const steps = replay(replayOf(pair, WHOLE.has(pair.expect) ? {} : { until: nextChange(pair) })).map(word);
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

test("looking every ten seconds gives the same ends as looking at every version", () => {
  for (const pair of pairs) {
    // The fix of the broken YAML holds the same image and lands before the slow look's second refresh.
    if (["d2 web-dev 7dd1c4c", "d3 web-dev 8a5af5d"].includes(nameOf(pair))) continue;
    const cut = WHOLE.has(pair.expect) ? {} : { until: nextChange(pair) };
    const ends = [0, 10_000].map((lookEveryMs) =>
      replay(replayOf(pair, { ...cut, lookEveryMs }))
        .map(word)
        .at(-1),
    );
    expect(ends[1], nameOf(pair)).toBe(ends[0]);
  }
});

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
