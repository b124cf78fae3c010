import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { explainRaw } from "../../src/argocd/explain-input.ts";

interface Change {
  tag: string;
  digest: string;
  commit: string;
  outcome: string;
  podsReadyAt: string | null;
}

interface Version {
  t: string;
  object: { status?: { summary?: { images?: string[] } } };
}

/** What `npm run e2e -- --record` saw of one Application while versions came and went. */
const folder = new URL("../golden/e2e/", import.meta.url);
const versions = gunzipSync(readFileSync(new URL("applications.jsonl.gz", folder)))
  .toString()
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Version);
const { history, changes } = JSON.parse(readFileSync(new URL("changes.json", folder), "utf8")) as {
  history: string[];
  changes: Change[];
};
const settings = { settleMs: 5_000, degradedMs: 10_000, timeoutMs: 240_000 };

describe("the Application of the real cluster, explained again from its recording", () => {
  it.each(changes)("$tag ends $outcome, and never healthy before its Pods were ready", (change) => {
    const repository = versions
      .flatMap(({ object }) => object.status?.summary?.images ?? [])[0]
      ?.split(":", 2)
      .join(":");
    const next = changes[changes.indexOf(change) + 1];
    const until =
      next === undefined ? -1 : versions.findIndex(({ object }) => JSON.stringify(object).includes(next.commit));
    const steps = explainRaw(
      {
        snapshots: until < 0 ? versions : versions.slice(0, until),
        commit: change.commit,
        history: history.slice(history.indexOf(change.commit)),
        images: { new: [`${repository}:${change.tag}@${change.digest}`] },
      },
      { settings },
    );
    expect(steps.at(-1)?.verdict.state).toBe(change.outcome);
    // Times as text in one form and one zone: their order is that of the alphabet.
    const { podsReadyAt } = change;
    const early = steps.filter(
      ({ at, verdict }) => verdict.state === "healthy" && (podsReadyAt === null || String(at) < podsReadyAt),
    );
    expect(early).toEqual([]);
  });
});
