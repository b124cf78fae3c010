import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, type Manifest } from "../cluster/kube.ts";
import { BUSYBOX, digestOf } from "../cluster/parts/registry.ts";
import { CiNamespace } from "../fixtures/ci-namespace.ts";
import { environment, notOurs, runId } from "../fixtures/environment.ts";
import { SourceRepository } from "../fixtures/source-repository.ts";

if (notOurs !== undefined) console.log(`tekton/tasks.e2e.test.ts is skipped: ${notOurs}`);

/** Three stages; `release` is not the last. */
const DOCKERFILE = `ARG BASE
FROM \${BASE} AS tools
RUN echo tools > /tools.txt
FROM \${BASE} AS release
ARG WHO
COPY --from=tools /tools.txt /
COPY hello.txt /
RUN echo "built for $WHO" > /who.txt
FROM release AS debug
RUN exit 0
`;

describe.skipIf(notOurs !== undefined)("the shipped Tasks on a real Tekton", () => {
  const image = `${environment.registry}/tasks/hello-${runId}`;
  const repositoryOf = (name: string) => name.replace(`${environment.registry}/`, "");
  let ci: CiNamespace;
  let source: SourceRepository;
  let commit: string;
  let cache: string;

  beforeAll(async () => {
    ci = await CiNamespace.install(`tasks-${runId}`, "secret");
    source = await SourceRepository.create(`tasks-${runId}`);
    commit = source.push({ "hello.txt": "hello\n" });
    const folder = await ci.addVolume(`${ci.namespace}-build`, "build-source");
    for (const [file, text] of Object.entries({ Dockerfile: DOCKERFILE, "hello.txt": "hello\n" })) {
      writeFileSync(path.join(folder, file), text);
      chmodSync(path.join(folder, file), 0o644);
    }
    cache = await ci.addVolume(`${ci.namespace}-cache`, "kaniko-cache");
  });

  afterAll(async () => {
    await ci.close();
    await source.close();
  });

  /** Runs what stands in tests/run.yaml, all at once; what came of it beside what was to come. */
  async function outcomes(
    task: string,
  ): Promise<{ name: string; came: unknown; expected: unknown; ended: Manifest }[]> {
    const runs = ci.filled(`task/${task}/0.1/tests/run.yaml`, { commit, image, repository: source.url });
    return await Promise.all(
      runs.map(async (manifest) => {
        const ended = await ci.run(manifest);
        const name = String(at(manifest, "metadata", "generateName"));
        const came = at(ended, "status", "conditions", 0, "status") === "True" ? "Succeeded" : "Failed";
        return { name, came, expected: at(manifest, "metadata", "annotations", "expect"), ended };
      }),
    );
  }

  // Those that talk to gitspan are tried beside one: pipeline.e2e.test.ts.
  it.each(["git-clone", "run-tests", "build-image", "kaniko-warmer"])("%s ends as its tests say", async (task) => {
    const all = await outcomes(task);
    expect(all.length).toBeGreaterThan(0);
    for (const { name, came, expected, ended } of all) {
      expect(came, `${name} ${JSON.stringify(at(ended, "status", "conditions"))}`).toBe(expected);
      const wanted = Object.entries(Object(at(ended, "metadata", "annotations"))).filter(([key]) =>
        key.startsWith("expect/"),
      );
      for (const [key, value] of wanted) {
        const result = resultOf(ended, key.slice("expect/".length));
        expect(
          String(value).endsWith("*") ? result?.slice(0, String(value).length - 1) : result,
          `${name} ${key}`,
        ).toBe(String(value).replace(/\*$/, ""));
      }
    }
  });

  it("kaniko-warmer left the base image where build-image looks for it", () => {
    expect(readdirSync(cache)).toContain(digestOf(BUSYBOX));
  });

  it("build-image pushed exactly what it says it pushed, and nothing with no-push", async () => {
    const runs = await ci.kube.list("tekton.dev/v1", "TaskRun", "tekton.dev/task=build-image");
    const pushed = runs.find((run) => resultOf(run, "IMAGE_URL") === `${image}:pushed`);
    expect(resultOf(pushed, "IMAGE_DIGEST")).toBe(digestOf(repositoryOf(`${image}:pushed`)));
    for (const tag of ["not-pushed", "smuggled", "elsewhere"])
      expect(digestOf(repositoryOf(`${image}:${tag}`))).toBeUndefined();
  });
});

function resultOf(run: unknown, name: string): string | undefined {
  const results = at(run, "status", "results");
  const found = Array.isArray(results) ? results.find((one) => at(one, "name") === name) : undefined;
  return found === undefined ? undefined : String(at(found, "value"));
}
