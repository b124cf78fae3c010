import { expect, test } from "vitest";
import type { ApplicationSnapshot } from "../../src/model/application.ts";
import type { Verdict, VerdictMemory } from "../../src/model/observation.ts";
import { MemoryArgoCd } from "../fakes/memory-argocd.ts";
import { GitText, kustomization } from "./git-text.ts";
import { judgeInput, judgeInspecting } from "./judging.ts";
import { VirtualClock } from "./virtual-clock.ts";

const REPOSITORY = "https://git.example.com/gitops.git";
const FILE = "apps/checkout/dev/kustomization.yaml";
const NAME = "registry.example.com/shop/checkout";
const ref = { cluster: "main", namespace: "argocd", name: "checkout-dev" };

/** One pushed text of the file, followed to its end over the simulated world; the commits after it come in time. */
async function outcomeOf(text: string, later: { afterMs: number; text: string }[] = []): Promise<string> {
  const clock = new VirtualClock();
  const git = new GitText();
  const first = git.commit({ [FILE]: kustomization("1.0.0") });
  const place = { format: "kustomize" as const, directory: "apps/checkout/dev" };
  const targets = [{ app: "checkout", environment: "dev", places: [place] }];
  const argocd = new MemoryArgoCd({ clock, git, repositoryUrl: REPOSITORY, branch: "main", targets });
  const [start] = await argocd.snapshots(ref, undefined);
  const commit = git.commit({ [FILE]: text });
  const pushedAt = clock.now();
  const pending = [...later];
  const commits = [first, commit];
  let memory: VerdictMemory = {};
  let verdict: Verdict | undefined;
  while (clock.now() < pushedAt + 1_200_000) {
    let refresh = false;
    for (const snapshot of await argocd.snapshots(ref, memory.resourceVersion)) {
      const facts = commits.map((sha, index) => [sha, { covers: index > 0, content: contentOf(index) }] as const);
      const judged = judgeInspecting(
        judgeInput({
          commit,
          repositoryUrl: REPOSITORY,
          paths: [FILE],
          images: { new: [`${NAME}:${/newTag: "?([^"\n]+)/.exec(text)?.[1]}`], old: [`${NAME}:1.0.0`] },
          snapshot,
          revisions: new Map(facts),
          baseline: baselineOf(start),
          memory,
          pushedAt,
          now: clock.now(),
        }),
      );
      ({ memory, verdict, refresh } = judged);
    }
    if (verdict !== undefined && ["healthy", "failed", "superseded"].includes(verdict.state)) break;
    if (refresh) await argocd.refresh(ref, new AbortController().signal);
    clock.advance(250);
    const next = pending[0];
    if (next !== undefined && clock.now() - pushedAt >= next.afterMs) {
      commits.push(git.commit({ [FILE]: next.text }));
      pending.shift();
    }
  }
  return verdict?.reason === undefined ? (verdict?.state ?? "") : `${verdict.state}(${verdict.reason})`;

  function contentOf(index: number): "ours" | "other" {
    return index < 2 || later[index - 2]?.text.startsWith(text) ? "ours" : "other";
  }
}

function baselineOf(start: ApplicationSnapshot | undefined) {
  return { health: start?.health ?? "", conditions: [], summaryImages: start?.summaryImages ?? [], degraded: [] };
}

test("a good image ends healthy", async () => {
  expect(await outcomeOf(kustomization("1.1.0"))).toBe("healthy");
});

test("an image that crashes ends degraded", async () => {
  expect(await outcomeOf(kustomization("crash-1.1.0"))).toBe("failed(degraded)");
});

test("broken YAML ends as a render failure", async () => {
  expect(await outcomeOf("images:\n  - name: [oops\n newTag: x")).toBe("failed(render)");
});

test("a commit that others build upon ends healthy, one whose value they replace is superseded", async () => {
  const text = kustomization("1.1.0");
  expect(await outcomeOf(text, [{ afterMs: 1_000, text: `${text}# by somebody else\n` }])).toBe("healthy");
  expect(await outcomeOf(text, [{ afterMs: 1_000, text: kustomization("1.2.0") }])).toBe("superseded");
});
