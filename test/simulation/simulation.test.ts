import { describe, expect, it } from "vitest";
import { simulate } from "./simulate.ts";

const SEEDS = 50;

describe("the delivery flow under crashes, stalls, lost answers, a second replica and foreign writers", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`keeps its promises under seed ${seed}`, async () => {
      const result = await simulate(seed);
      expect(result.violations, result.trace.join("\n")).toEqual([]);
    });
  }

  it("replays a seed exactly", async () => {
    const [first, second] = [await simulate(7), await simulate(7)];
    expect(second.trace).toEqual(first.trace);
  });
});
