import { readFile } from "node:fs/promises";

interface PipelineRun {
  metadata: { uid: string; name: string; namespace: string };
  status: { results: { name: string; value: string }[] };
}

/** What the final Task of this pipeline would post: the results of a run that a real Tekton recorded. */
export async function reportOfRecordedRun(): Promise<{ report: Record<string, unknown>; name: string }> {
  const file = new URL("../golden/tekton/pipelinerun-successful.json", import.meta.url);
  const run = JSON.parse(await readFile(file, "utf8")) as PipelineRun;
  // Results keep the newline that `echo` or `git rev-parse` wrote.
  const result = (name: string) => run.status.results.find((entry) => entry.name === name)?.value.trim() ?? "";
  const { uid, name, namespace } = run.metadata;
  return {
    name: `${namespace}/${name}`,
    report: {
      images: [{ name: "web", image: `${result("IMAGE_URL")}@${result("IMAGE_DIGEST")}` }],
      source: {
        repository: "https://git.example.com/shop/web.git",
        commit: result("commit"),
        ref: "refs/heads/main",
        subject: "Serve the new front page",
        author: "Ada Lovelace <ada@example.com>",
        time: "2026-11-22T18:20:00Z",
      },
      // As if it had finished just now: runs from before a target was known are history only.
      run: { kind: "PipelineRun", uid, name, namespace, finishedAt: new Date().toISOString() },
    },
  };
}

/** A build that did not come from the recording; without a source of its own, one of a commit that nobody can look up. */
export function reportOf(
  app: { name: string; repository: string },
  tag: string,
  source: { repository?: string; commit?: string } = {},
): Record<string, unknown> {
  const id = `${app.name}-${tag}`;
  const hex = Buffer.from(id).toString("hex");
  return {
    images: [{ name: app.name, repository: app.repository, tag, digest: `sha256:${hex.padEnd(64, "0").slice(0, 64)}` }],
    source: {
      repository: `https://git.example.com/shop/${app.name}.git`,
      commit: hex.padEnd(40, "0").slice(0, 40),
      ref: "refs/heads/main",
      ...source,
    },
    run: { kind: "PipelineRun", uid: `demo-${id}`, name: id, namespace: "shop-ci" },
  };
}
