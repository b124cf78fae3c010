import { describe, expect, it } from "vitest";
import { artifactsOf } from "../../src/tekton/artifacts.ts";
import { type RunResult, readRun } from "../../src/tekton/run.ts";
import { recordedRuns } from "./recordings.ts";
import { DIGEST, OTHER_DIGEST, results, WEB } from "./samples.ts";

const WORKER = "registry.example.com/shop/worker";

describe("the images of a run", () => {
  it.each<[string, Record<string, RunResult["value"]>, unknown[]]>([
    [
      "IMAGE_URL with a tag and IMAGE_DIGEST",
      { IMAGE_URL: `${WEB}:1.4.2`, IMAGE_DIGEST: DIGEST },
      [{ name: "web", repository: WEB, tag: "1.4.2", digest: DIGEST }],
    ],
    [
      "IMAGE_URL without a tag",
      { IMAGE_URL: WEB, IMAGE_DIGEST: DIGEST },
      [{ name: "web", repository: WEB, digest: DIGEST }],
    ],
    ["IMAGE_URL with a tag alone", { IMAGE_URL: `${WEB}:1` }, [{ name: "web", repository: WEB, tag: "1" }]],
    [
      "IMAGE_URL with its own digest",
      { IMAGE_URL: `docker://${WEB}@${DIGEST}`, IMAGE_DIGEST: DIGEST },
      [{ name: "web", repository: WEB, digest: DIGEST }],
    ],
    [
      "two prefixed pairs",
      {
        "web-IMAGE_URL": WEB,
        "web-IMAGE_DIGEST": DIGEST,
        WORKER_IMAGE_DIGEST: OTHER_DIGEST,
        WORKER_IMAGE_URL: `${WORKER}:2`,
      },
      [
        { name: "web", repository: WEB, digest: DIGEST },
        { name: "worker", repository: WORKER, tag: "2", digest: OTHER_DIGEST },
      ],
    ],
    [
      "IMAGES by commas and lines",
      { IMAGES: `${WEB}:1@${DIGEST},\n ${WORKER}@${OTHER_DIGEST}\n` },
      [
        { name: "web", repository: WEB, tag: "1", digest: DIGEST },
        { name: "worker", repository: WORKER, digest: OTHER_DIGEST },
      ],
    ],
    ["IMAGES as a list", { IMAGES: [`${WEB}@${DIGEST}`] }, [{ name: "web", repository: WEB, digest: DIGEST }]],
    [
      "an object result",
      { "web-ARTIFACT_OUTPUTS": { uri: `oci://${WEB}:1`, digest: DIGEST, isBuildArtifact: "true" } },
      [{ name: "web", repository: WEB, tag: "1", digest: DIGEST }],
    ],
    [
      "ARTIFACT_URI and ARTIFACT_DIGEST",
      { ARTIFACT_URI: WEB, ARTIFACT_DIGEST: DIGEST },
      [{ name: "web", repository: WEB, digest: DIGEST }],
    ],
    [
      "the same image in two styles, once with its tag",
      { IMAGES: `${WEB}@${DIGEST} ${WEB}:7@${DIGEST}`, X_ARTIFACT_OUTPUTS: { uri: WEB, digest: DIGEST } },
      [{ name: "web", repository: WEB, digest: DIGEST, tag: "7" }],
    ],
    [
      "an index in IMAGE_URL whose parts are in IMAGES",
      { IMAGE_URL: WEB, IMAGE_DIGEST: DIGEST, IMAGES: `${WEB}@${DIGEST},${WEB}@${OTHER_DIGEST}` },
      [{ name: "web", repository: WEB, digest: DIGEST }],
    ],
    [
      "one image beside things that are none",
      {
        IMAGE_URL: WEB,
        IMAGE_DIGEST: DIGEST,
        "sbom-ARTIFACT_OUTPUTS": { uri: WORKER, digest: DIGEST, isBuildArtifact: "false" },
        "jar-ARTIFACT_URI": "https://maven.example.com/shop/web.jar",
        "jar-ARTIFACT_DIGEST": DIGEST,
        "odd-ARTIFACT_OUTPUTS": { uri: WORKER, digest: "sha256:" },
        "bare-ARTIFACT_OUTPUTS": { digest: DIGEST },
        "src-ARTIFACT_INPUTS": { uri: WORKER, digest: DIGEST },
        "text-ARTIFACT_OUTPUTS": WORKER,
        BASE_IMAGE_DIGEST: DIGEST,
      },
      [{ name: "web", repository: WEB, digest: DIGEST }],
    ],
  ])("are found in %s", (_name, values, artifacts) => {
    expect(artifactsOf(results(values))).toEqual({ artifacts });
  });

  it("stay two when one list gives one repository two values, so that whoever matches them refuses", () => {
    const read = artifactsOf(results({ IMAGES: `${WEB}@${DIGEST} ${WEB}@${OTHER_DIGEST}` }));
    expect(read).toMatchObject({ artifacts: [{ digest: DIGEST }, { digest: OTHER_DIGEST }] });
  });

  it.each<[string, Record<string, RunResult["value"]>, string]>([
    ["there are no results", {}, "no results that name an image"],
    ["a digest stands alone", { IMAGE_DIGEST: DIGEST }, "IMAGE_DIGEST has no IMAGE_URL"],
    ["a URL has neither tag nor digest", { IMAGE_URL: WEB }, "IMAGE_URL has no tag or digest"],
    ["a variable was not filled in", { IMAGE_URL: "$(tasks.build.results.IMAGE_URL)" }, "IMAGE_URL is not usable"],
    ["a digest is no digest", { IMAGE_URL: WEB, IMAGE_DIGEST: "sha256:abc" }, "IMAGE_DIGEST is not a sha256 digest"],
    ["a digest is empty", { IMAGE_URL: `${WEB}:1`, IMAGE_DIGEST: "" }, "IMAGE_DIGEST is not a sha256 digest"],
    ["two digests differ", { IMAGE_URL: `${WEB}@${DIGEST}`, IMAGE_DIGEST: OTHER_DIGEST }, "contradicts"],
    ["the second of two images is broken", { IMAGES: `${WEB}@${DIGEST},Oh no` }, "IMAGES is not usable"],
    ["a list has no digest", { IMAGES: `${WEB}:1` }, "without a digest"],
    ["a list is an object", { IMAGES: { a: WEB } }, "IMAGES is not a list"],
    ["there are too many", { IMAGES: Array.from({ length: 51 }, (_, i) => `${WEB}${i}@${DIGEST}`) }, "more than 50"],
  ])("are not delivered when %s", (_name, values, problem) => {
    expect(artifactsOf(results(values))).toEqual({ problem: expect.stringContaining(problem) });
  });

  it("of the runs that Chains is tested with are those that Chains finds", () => {
    const found = recordedRuns("chains-runs").map(({ file, run }) => {
      const read = artifactsOf(readRun("PipelineRun", run).results);
      return [file, "artifacts" in read ? read.artifacts.map(({ repository }) => repository) : []] as const;
    });
    const by = Object.fromEntries(found);
    expect(by["pipeline-v1-pipelinerun1.json"]).toEqual(["test.io/test/image"]);
    expect(by["pipeline-v1-taskrun-multiple-subjects.json"]).toEqual(["gcr.io/myimage1", "gcr.io/myimage2"]);
    expect(by["slsa-v2alpha4-pipelinerun2.json"]).toEqual(["test.io/test/image", "abc", "gcr.io/common/image"]);
    expect(by["slsa-v2alpha4-taskrun-multiple-subjects.json"]).toEqual([
      "gcr.io/myimage1",
      "gcr.io/myimage3",
      "gcr.io/foo/bar",
      "gcr.io/myimage2",
    ]);
    expect(by["slsa-v2alpha4-taskrun2.json"]).toEqual([]);
    expect(by["type-hinting-taskrun.json"]).toEqual([]);
  });
});
