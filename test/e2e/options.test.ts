import { describe, expect, it } from "vitest";
import { parseOptions } from "./options.ts";

describe("what npm run e2e was asked for", () => {
  it("is every suite but the recording when nothing is named", () => {
    const { runs, profiles, ci } = parseOptions(["--ci"]);
    expect(runs.map(({ suite }) => suite)).toEqual(["git", "delivery", "argocd", "tekton", "chains", "results"]);
    expect({ profiles, ci }).toEqual({ profiles: [], ci: true });
  });

  it("is a suite, a profile that is only started, or one file", () => {
    expect(parseOptions(["chains"]).runs).toEqual([{ suite: "chains", files: ["test/e2e/chains/"] }]);
    expect(parseOptions(["postgres"])).toMatchObject({ runs: [], profiles: ["postgres"] });
    const file = "test/e2e/results/results.e2e.test.ts";
    expect(parseOptions([file])).toMatchObject({ runs: [{ suite: "results", files: [file] }], profiles: [] });
    expect(parseOptions(["--record"]).runs).toEqual([{ suite: "record", files: ["test/e2e/record/"] }]);
  });

  it("is refused with the usage when it is none of these", () => {
    expect(() => parseOptions(["nonsense"])).toThrow(
      /nonsense is no suite, no profile and no test file[\s\S]*npm run e2e/,
    );
    expect(() => parseOptions(["--fast"])).toThrow(/no option --fast/);
  });
});
