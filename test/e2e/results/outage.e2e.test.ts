import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, Kube, type Manifest } from "../cluster/kube.ts";
import { BridgeProcess, QUICK } from "../fixtures/bridge-process.ts";
import { environment, notOurs, runId, until } from "../fixtures/environment.ts";
import { GitopsRepository } from "../fixtures/gitops-repository.ts";
import { Pipelines } from "../fixtures/pipeline.ts";
import { allowReading, ResultsReader } from "../fixtures/results-reader.ts";

const RUNS = 20;
/** Of these, so many are gone from the cluster before the bridge is back. */
const PRUNED = 10;
const LABELS = { "gitspan.dev/deliver": "yes" };

if (notOurs !== undefined) console.log(`results/outage.e2e.test.ts is skipped: ${notOurs}`);

describe.skipIf(notOurs !== undefined)("a bridge that is down while runs end", () => {
  const namespace = `outage-${runId}`;
  const kube = new Kube(environment.kubeconfig, namespace);
  const apps = Array.from({ length: RUNS }, (_, index) => {
    const name = `app-${index}-${runId}`;
    const digest = `sha256:${createHash("sha256").update(name).digest("hex")}`;
    return { name, digest, image: `${environment.registry}/shop/${name}`, overlay: `apps/${name}/dev` };
  });
  const source = "https://git.example.com/shop/all.git";
  let pipelines: Pipelines;
  let repository: GitopsRepository;
  let results: ResultsReader;
  let bridge: BridgeProcess;

  beforeAll(async () => {
    pipelines = await Pipelines.install(namespace);
    results = await ResultsReader.of(kube, namespace);
    await allowReading(kube, { name: "gitspan", namespace: "gitspan" });
    const file = (image: string) => `images:\n  - name: ${image} # ours\n    newTag: 1.0.0\n`;
    repository = await GitopsRepository.create(
      `gitops-${namespace}`,
      Object.fromEntries(apps.map(({ overlay, image }) => [`${overlay}/kustomization.yaml`, file(image)])),
    );
    bridge = await BridgeProcess.start({
      repositoryUrl: repository.url,
      apps: apps.map(({ name, image, overlay }) => ({ name, image, source, overlays: { dev: overlay } })),
      environments: { dev: QUICK },
      namespaces: [namespace],
      watch: { labels: LABELS, results: true },
    });
  });

  afterAll(async () => {
    await bridge?.close();
    await pipelines?.close();
    await repository?.close();
  });

  it(`delivers all of ${RUNS} afterwards, none twice: from the cluster, and from Results what was pruned`, async () => {
    await bridge.kill();
    const created = await Promise.all(apps.map((app) => kube.create(runOf({ ...app, source }))));
    const ended = await Promise.all(created.map(async ({ metadata }) => await endOf(String(metadata?.name))));
    for (const run of ended.slice(0, PRUNED)) {
      const uid = String(run.metadata?.uid);
      await until("the end of the run is stored", async () =>
        (await results.record(uid))?.includes("completionTime") === true ? true : undefined,
      );
      await kube.remove({ apiVersion: "tekton.dev/v1", kind: "PipelineRun", metadata: { name: nameOf(run) } });
    }
    await until("they are gone", async () => {
      const left = await kube.list("tekton.dev/v1", "PipelineRun");
      return left.length === RUNS - PRUNED ? true : undefined;
    });

    await bridge.start();
    const commits = () => repository.commitsWith("Gitspan-Delivery: ");
    await until(
      () => `${RUNS} commits (${commits().length} so far)`,
      async () => (commits().length >= RUNS ? true : undefined),
      240,
    );
    // Once more from the beginning: what is known by now is a repeat.
    await bridge.kill();
    await bridge.start();
    await until("cluster and Results were asked again", async () => {
      const response = await fetch(`${environment.bridgeUrl}/readyz?verbose`);
      const { checks } = (await response.json()) as { checks: { name: string; ok: boolean }[] };
      const streams = checks.filter(({ name }) => name.startsWith("tekton"));
      return streams.length === 2 && streams.every(({ ok }) => ok) ? true : undefined;
    });
    const builds = await Promise.all(apps.map(({ digest }) => bridge.client.deliveries({ image: digest })));
    expect(builds.map(({ length }) => length)).toEqual(apps.map(() => 1));
    expect(commits()).toHaveLength(RUNS);
    for (const { overlay, digest } of apps) {
      expect(repository.git("show", `FETCH_HEAD:${overlay}/kustomization.yaml`)).toContain(digest);
    }
  });

  async function endOf(name: string): Promise<Manifest> {
    return await until(
      `end of ${name}`,
      async () => {
        const run = await kube.read({ apiVersion: "tekton.dev/v1", kind: "PipelineRun", metadata: { name } });
        return at(run, "status", "completionTime") === undefined ? undefined : run;
      },
      240,
    );
  }
});

function nameOf({ metadata }: Manifest): string {
  return String(metadata?.name);
}

/** A build that only says what it has made. */
function runOf(input: { name: string; image: string; digest: string; source: string }): Manifest {
  const { name, image, digest, source } = input;
  return {
    apiVersion: "tekton.dev/v1",
    kind: "PipelineRun",
    metadata: {
      generateName: `${name}-`,
      labels: LABELS,
      annotations: {
        "gitspan.dev/source-repository": source,
        "gitspan.dev/source-commit": createHash("sha1").update(name).digest("hex"),
        "gitspan.dev/source-ref": "refs/heads/main",
      },
    },
    spec: {
      pipelineSpec: {
        results: [
          { name: "IMAGE_URL", value: "$(tasks.build-image.results.IMAGE_URL)" },
          { name: "IMAGE_DIGEST", value: "$(tasks.build-image.results.IMAGE_DIGEST)" },
        ],
        tasks: [
          {
            name: "build-image",
            taskSpec: {
              results: [{ name: "IMAGE_URL" }, { name: "IMAGE_DIGEST" }],
              steps: [
                {
                  name: "tell",
                  image: environment.busybox,
                  env: [
                    { name: "IMAGE", value: `${image}:2.0.0` },
                    { name: "DIGEST", value: digest },
                  ],
                  script:
                    '#!/bin/sh\nprintf %s "$IMAGE" > "$(results.IMAGE_URL.path)"\nprintf %s "$DIGEST" > "$(results.IMAGE_DIGEST.path)"\n',
                },
              ],
            },
          },
        ],
      },
    },
  };
}
