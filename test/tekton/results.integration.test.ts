import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../argocd/simulated.ts";
import { type ResultsTrouble, recordedResult } from "../fakes/results-api.ts";
import { endedRun, FollowedCluster, unavailable } from "./following.ts";

const HOUR = 3_600_000;

let cluster: FollowedCluster;
beforeEach(async () => {
  cluster = await FollowedCluster.start();
  for (const stream of ["tekton/main", "tekton-results/main"]) {
    await cluster.store.intakePosition(stream, Date.now() - 2 * HOUR);
  }
});
afterEach(() => cluster.close());

const follow = () => cluster.follow({ results: cluster.resultsLocation });
const taken = async (...names: string[]): Promise<void> =>
  eventually(() => names.every((name) => cluster.taken.includes(name)));
const health = () => cluster.following?.streams.find(({ name }) => name === "tekton-results/main");

describe("runs that are gone from the cluster", () => {
  it("are taken from Results, and what is in both places once", async () => {
    const [both, pruned] = [endedRun("both"), endedRun("pruned")];
    cluster.api.put(both);
    cluster.results.records.push(both, pruned);
    await follow();
    await taken("both", "pruned");
    await eventually(() => health()?.ok === true);
    expect(cluster.taken.toSorted()).toEqual(["both", "pruned"]);
    expect(cluster.counted.filter((each) => each.endsWith("accepted"))).toHaveLength(2);
    expect(cluster.reports.find(({ run }) => run?.name === "pruned")).toMatchObject({
      artifacts: [{ repository: "127.0.0.1:5000/busybox", tag: "lab" }],
      run: { kind: "PipelineRun", namespace: "demo", cluster: "main" },
    });
  });

  it("are read as Results really answers", async () => {
    const run = recordedResult();
    const status = run["status"] as { completionTime: string };
    await cluster.stop();
    await cluster.close();
    cluster = await FollowedCluster.start();
    await cluster.store.intakePosition("tekton-results/main", Date.parse(status.completionTime) - HOUR);
    cluster.results.records.push(run);
    await follow();
    await taken("recorded-snvvt");
    expect(cluster.reports).toMatchObject([
      {
        artifacts: [{ repository: "127.0.0.1:5001/shop/cosign-ecdsa-v2alpha4", tag: "1.0.0" }],
        source: { repository: "https://git.example.com/shop/web.git", commit: expect.stringMatching(/^de6e1c3f/) },
        run: { uid: "ac8f28ff-b222-4b47-bd2a-2675de05faa1", finishedAt: Date.parse(status.completionTime) },
      },
    ]);
  });

  it("come in pages, with what is broken among them left out", async () => {
    for (let number = 0; number < 60; number++) cluster.results.records.push(endedRun(`run-${number}`));
    cluster.results.records.splice(3, 0, "no base64 JSON", Buffer.from("[1]").toString("base64"));
    await follow();
    await taken("run-0", "run-59");
    expect(cluster.taken).toHaveLength(60);
    expect(cluster.results.requests).toHaveLength(3);
  });

  it("that failed, or ended before the first look, are not taken", async () => {
    const failed = endedRun("failed");
    Object.assign(failed["status"] as object, {
      conditions: [{ type: "Succeeded", status: "False", reason: "Failed" }],
    });
    cluster.results.records.push(failed, endedRun("old", Date.now() - 3 * HOUR), endedRun("good"));
    await follow();
    await taken("good");
    expect(cluster.taken).toEqual(["good"]);
    expect(cluster.results.requests[0]?.searchParams.get("filter")).toContain("data.status.completionTime >= ");
  });

  it("are asked for by namespace and label", async () => {
    const labels = { "gitspan.dev/deliver": "yes" };
    cluster.results.records.push(
      endedRun("web", Date.now() + 1_000, { namespace: "shop", labels }),
      endedRun("other", Date.now() + 1_000, { namespace: "other", labels }),
      endedRun("unlabelled", Date.now() + 1_000, { namespace: "shop" }),
    );
    await cluster.follow({ results: cluster.resultsLocation, namespaces: ["shop"], labels });
    await taken("web");
    expect(cluster.taken).toEqual(["web"]);
    expect(cluster.results.requests[0]?.pathname).toContain("/parents/shop/results/-/records");
  });
});

describe("the position in Results", () => {
  const reached = async (): Promise<number> => (await cluster.store.intakePosition("tekton-results/main")).reached;

  it("moves on when everything is stored, and not before", async () => {
    const before = await reached();
    cluster.failure = unavailable();
    cluster.results.records.push(endedRun("web-1"));
    await follow();
    await eventually(() => cluster.counted.includes("tekton-results unavailable"));
    expect(await reached()).toBe(before);
    cluster.failure = undefined;
    await taken("web-1");
    await eventually(async () => (await reached()) > Date.now() - 60_000);
  });

  it("stays while Results does not answer", async () => {
    const before = await reached();
    cluster.results.trouble = 503;
    await follow();
    await eventually(() => health()?.error !== undefined);
    expect(await reached()).toBe(before);
  });
});

describe("a Results that does not do its part", () => {
  it.each<ResultsTrouble>([
    401,
    403,
    404,
    410,
    429,
    500,
    503,
    302,
    "cut",
    "login-page",
    "endless",
    "forbidden-stranger",
    "records-page-token-garbage",
    "records-filter-invalid",
  ])("(%s) shows it, and is asked again", async (trouble) => {
    cluster.results.trouble = trouble;
    cluster.results.records.push(endedRun("web-1"));
    await follow();
    await eventually(() => health()?.error !== undefined);
    expect(health()?.ok).toBe(false);
    expect(JSON.stringify([health()?.detail, cluster.logged])).not.toContain(cluster.results.token);
    expect(cluster.taken).toEqual([]);
    cluster.results.trouble = undefined;
    await taken("web-1");
    await eventually(() => health()?.ok === true);
  });

  it("holds up neither the watch nor the end", async () => {
    cluster.results.trouble = "silence";
    await follow();
    await eventually(() => cluster.results.requests.length > 0);
    cluster.api.put(endedRun("watched"));
    await taken("watched");
    const begun = Date.now();
    await cluster.stop();
    expect(Date.now() - begun).toBeLessThan(1_000);
  });

  it("whose certificate authority cannot be read is an error of the configuration", async () => {
    const results = { ...cluster.resultsLocation, caFile: "/nowhere/ca.pem" };
    await expect(cluster.follow({ results })).rejects.toMatchObject({ code: "config-invalid" });
  });
});
