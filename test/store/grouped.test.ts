import { describe, expect, it } from "vitest";
import { GitspanError } from "../../src/model/errors.ts";
import { Grouped } from "../../src/store/grouped.ts";

function doubling(fail: (inputs: readonly number[]) => Error | undefined = () => undefined) {
  const calls: number[][] = [];
  const grouped = new Grouped(async (inputs: readonly number[]) => {
    calls.push([...inputs]);
    await Promise.resolve();
    const error = fail(inputs);
    if (error !== undefined) throw error;
    return inputs.map((input) => input * 2);
  });
  return { calls, grouped };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe("grouped calls", () => {
  it("made at the same moment go together, and each gets its own answer", async () => {
    const { calls, grouped } = doubling();
    expect(await Promise.all([1, 2, 3].map((input) => grouped.call(input)))).toEqual([2, 4, 6]);
    expect(calls).toEqual([[1, 2, 3]]);
  });

  it("that come while one is under way wait for the next: none is answered from before it was made", async () => {
    const { calls, grouped } = doubling();
    const first = grouped.call(1);
    await Promise.resolve();
    const later = [grouped.call(2), grouped.call(3)];
    expect(await Promise.all([first, ...later])).toEqual([2, 4, 6]);
    expect(calls).toEqual([[1], [2, 3]]);
    expect(await grouped.call(4)).toBe(8);
  });

  it("are no more than 500 at a time", async () => {
    const { calls, grouped } = doubling();
    const all = range(0, 1200);
    expect(await Promise.all(all.map((input) => grouped.call(input)))).toEqual(all.map((input) => input * 2));
    expect(calls.map(({ length }) => length)).toEqual([500, 500, 200]);
  });

  it("fail alone for a reason of their own", async () => {
    const { calls, grouped } = doubling((inputs) => (inputs.includes(2) ? new Error("two is odd") : undefined));
    const results = await Promise.allSettled([1, 2, 3].map((input) => grouped.call(input)));
    expect(results).toMatchObject([{ value: 2 }, { reason: { message: "two is odd" } }, { value: 6 }]);
    expect(calls).toEqual([[1, 2, 3], [1], [2], [3]]);
    expect(await grouped.call(5)).toBe(10);
  });

  it("fail together, and once, when nobody could be asked", async () => {
    const away = new GitspanError("store-unavailable", "away", { transient: true });
    const { calls, grouped } = doubling(() => away);
    const results = await Promise.allSettled([1, 2].map((input) => grouped.call(input)));
    expect(results).toMatchObject([{ reason: away }, { reason: away }]);
    expect(calls).toEqual([[1, 2]]);
  });
});
