import { describe, expect, it } from "vitest";
import { simulate } from "./simulate.ts";

const SEEDS = 50;
/** Simulated time costs real time on a busy machine. */
const PATIENCE_MS = 60_000;

describe("the delivery flow under crashes, stalls, lost answers, a second replica and foreign writers", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`keeps its promises under seed ${seed}`, { timeout: PATIENCE_MS }, async () => {
      const result = await simulate(seed);
      expect(result.violations, result.trace.join("\n")).toEqual([]);
    });
  }

  it("replays a seed exactly", { timeout: PATIENCE_MS }, async () => {
    const [first, second] = [await simulate(7), await simulate(7)];
    expect(second.trace).toEqual(first.trace);
  });
});
