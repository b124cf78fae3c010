import { describe, expect, it } from "vitest";
import type { TektonRun } from "../../src/tekton/run.ts";
import { ANNOTATIONS, pullRequestOf, sourceOf } from "../../src/tekton/source.ts";
import { aRun, COMMIT, results, SOURCE } from "./samples.ts";

const OTHER = "d".repeat(40);
const pac = (values: Record<string, string>) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`pipelinesascode.tekton.dev/${key}`, value]));
const own = (values: Partial<Record<keyof typeof ANNOTATIONS, string>>) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`gitspan.dev/source-${key}`, value]));

describe("the source of a run", () => {
  it.each<[string, Partial<TektonRun>, unknown]>([
    [
      "git-clone's results, with the committer's date in seconds",
      { results: results({ commit: COMMIT, url: SOURCE, "committer-date": "1795371776" }) },
      { repository: SOURCE, commit: COMMIT, time: 1_795_371_776_000 },
    ],
    [
      "the results for Chains",
      { results: results({ "CHAINS-GIT_COMMIT": COMMIT, "CHAINS-GIT_URL": `git+${SOURCE}` }) },
      { repository: SOURCE, commit: COMMIT },
    ],
    [
      "the parameters for Chains",
      {
        params: new Map([
          ["CHAINS-GIT_COMMIT", COMMIT],
          ["CHAINS-GIT_URL", SOURCE],
        ]),
      },
      { repository: SOURCE, commit: COMMIT },
    ],
    [
      "an object result",
      { results: results({ "src-ARTIFACT_INPUTS": { uri: `git+${SOURCE}`, digest: `sha1:${COMMIT}` } }) },
      { repository: SOURCE, commit: COMMIT },
    ],
    [
      "annotations of gitspan",
      {
        annotations: own({
          repository: SOURCE,
          commit: COMMIT,
          ref: "refs/tags/v1",
          time: "2026-01-02T03:04:05+01:00",
        }),
      },
      { repository: SOURCE, commit: COMMIT, ref: "refs/tags/v1", time: Date.UTC(2026, 0, 2, 2, 4, 5) },
    ],
    [
      "an annotation for the repository and a result for the commit",
      { annotations: own({ repository: SOURCE }), results: results({ commit: COMMIT }) },
      { repository: SOURCE, commit: COMMIT },
    ],
    [
      "Pipelines as Code on a push",
      { annotations: pac({ sha: COMMIT, "repo-url": SOURCE, branch: "refs/heads/main", "event-type": "push" }) },
      { repository: SOURCE, commit: COMMIT, ref: "refs/heads/main" },
    ],
    [
      "Pipelines as Code with a plain branch",
      { annotations: pac({ sha: COMMIT, "repo-url": SOURCE, branch: "main", "event-type": "incoming" }) },
      { repository: SOURCE, commit: COMMIT, ref: "refs/heads/main" },
    ],
    [
      "the pipeline's own origin when it is of that commit",
      { definition: { uri: `git+${SOURCE}`, commit: COMMIT }, results: results({ commit: COMMIT }) },
      { repository: SOURCE, commit: COMMIT },
    ],
    [
      "an address that had a password, without it",
      { results: results({ commit: COMMIT, url: "https://bot:hunter2@git.example.com/shop/web.git" }) },
      { repository: SOURCE, commit: COMMIT },
    ],
    [
      "a repository over SSH",
      { results: results({ commit: COMMIT, url: "git@git.example.com:shop/web.git" }) },
      { repository: "git@git.example.com:shop/web.git", commit: COMMIT },
    ],
  ])("is found in %s", (_name, run, source) => {
    expect(sourceOf(aRun(run))).toEqual({ source });
  });

  it("is what Pipelines as Code saw, whatever the pushed pipeline writes about itself", () => {
    const run = aRun({
      annotations: {
        ...pac({ sha: COMMIT, "repo-url": SOURCE, branch: "refs/heads/feature", "event-type": "push" }),
        ...own({ repository: "https://git.example.com/other", commit: OTHER, ref: "refs/heads/main" }),
      },
      results: results({ commit: OTHER, url: "https://git.example.com/third" }),
    });
    expect(sourceOf(run)).toEqual({ source: { repository: SOURCE, commit: COMMIT, ref: "refs/heads/feature" } });
  });

  it("has no branch when Pipelines as Code ran for something else than a push, even if an annotation names one", () => {
    const run = aRun({
      annotations: {
        ...pac({ sha: COMMIT, "repo-url": SOURCE, branch: "main", "event-type": "retest-comment" }),
        ...own({ ref: "refs/heads/main" }),
      },
    });
    expect(sourceOf(run)).toEqual({ source: { repository: SOURCE, commit: COMMIT } });
  });

  it("never mixes the commit of one witness with the repository of another that names a different commit", () => {
    const run = aRun({
      annotations: own({ commit: COMMIT }),
      results: results({ "CHAINS-GIT_COMMIT": OTHER, "CHAINS-GIT_URL": "https://git.example.com/other", url: SOURCE }),
    });
    expect(sourceOf(run)).toEqual({ source: { repository: SOURCE, commit: COMMIT } });
  });

  it.each<[string, Partial<TektonRun>, string]>([
    ["nothing names it", {}, "names no source commit"],
    ["the commit is short", { results: results({ commit: "3953f9d", url: SOURCE }) }, "names no source commit"],
    ["the commit is a variable", { results: results({ commit: "$(tasks.clone.results.commit)" }) }, "no source commit"],
    ["only the commit is known", { results: results({ commit: COMMIT }) }, ANNOTATIONS.repository],
    ["the address is a file", { results: results({ commit: COMMIT, url: "file:///src" }) }, "no source repository"],
    [
      "the address has a line break",
      { results: results({ commit: COMMIT, url: `${SOURCE}\nx` }) },
      "no source repository",
    ],
    [
      "the pipeline comes from elsewhere",
      { results: results({ commit: COMMIT }), definition: { uri: SOURCE, commit: OTHER } },
      "no source repository",
    ],
    [
      "two inputs differ",
      {
        results: results({
          "a-ARTIFACT_INPUTS": { uri: `git+${SOURCE}`, digest: `sha1:${COMMIT}` },
          "b-ARTIFACT_INPUTS": { uri: "git+https://git.example.com/b", digest: `sha1:${OTHER}` },
        }),
      },
      "no source commit",
    ],
    [
      "the only input is an image",
      {
        results: results({
          "a-ARTIFACT_INPUTS": { uri: "registry.example.com/base", digest: `sha256:${"a".repeat(64)}` },
        }),
      },
      "no source commit",
    ],
  ])("is not known when %s", (_name, run, problem) => {
    expect(sourceOf(aRun(run))).toEqual({ problem: expect.stringContaining(problem) });
  });

  it("leaves out a ref that is short or broken, and a time that is none", () => {
    for (const ref of ["main", "refs/heads/a b", "refs/heads/..", `refs/heads/${"x".repeat(300)}`]) {
      const run = aRun({ annotations: own({ repository: SOURCE, commit: COMMIT, ref, time: "yesterday" }) });
      expect(sourceOf(run)).toEqual({ source: { repository: SOURCE, commit: COMMIT } });
    }
  });
});

describe("a run for a pull request", () => {
  it.each([
    [{ "pull-request": "7", "event-type": "pull_request" }, "7"],
    [{ "pull-request": "7", "event-type": "Merge Request" }, "7"],
    [{ "pull-request": "7", "event-type": "test-comment" }, "7"],
    [{ "pull-request": "7" }, "7"],
    [{ "pull-request": "7", "event-type": "push" }, undefined],
    [{ "event-type": "push" }, undefined],
    [{}, undefined],
  ])("is told by %o", (annotations: Record<string, string>, number) => {
    expect(pullRequestOf(aRun({ annotations: pac(annotations) }))).toBe(number);
    expect(pullRequestOf(aRun({ labels: pac(annotations) }))).toBe(number);
  });
});
