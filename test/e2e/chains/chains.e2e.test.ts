import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { program } from "../cluster/cache.ts";
import { at, Kube } from "../cluster/kube.ts";
import { chainsPublicKey } from "../cluster/parts/chains.ts";
import { environment, notOurs, runId, until } from "../fixtures/environment.ts";
import { Pipelines } from "../fixtures/pipeline.ts";

if (notOurs !== undefined) console.log(`chains/chains.e2e.test.ts is skipped: ${notOurs}`);

describe.skipIf(notOurs !== undefined)("the cluster's Chains", () => {
  const image = `${environment.registry}/shop/signed-${runId}`;
  const namespace = `chains-${runId}`;
  const home = mkdtempSync(`${tmpdir()}/gitspan-e2e-cosign-`);
  let pipelines: Pipelines;

  beforeAll(async () => {
    pipelines = await Pipelines.install(namespace);
  });

  afterAll(async () => {
    await pipelines.close();
    rmSync(home, { recursive: true });
  });

  function cosign(...args: string[]): string {
    const env = { PATH: process.env.PATH, HOME: home };
    const key = [
      "--key",
      chainsPublicKey,
      "--insecure-ignore-tlog",
      "--allow-insecure-registry",
      "--allow-http-registry",
    ];
    return execFileSync(program("cosign", "cosign"), [...args, ...key], { encoding: "utf8", env, stdio: "pipe" });
  }

  it("signs what a real build pushed, and says what it was built from", async () => {
    const digest = await pipelines.build(image, "1.0.0");
    const kube = new Kube(environment.kubeconfig, namespace);
    await until("the run is signed", async () => {
      const [run] = await kube.list("tekton.dev/v1", "TaskRun");
      return at(run, "metadata", "annotations", "chains.tekton.dev/signed") === "true" ? true : undefined;
    });
    const subject = `${image}@${digest}`;
    expect(cosign("verify", subject)).toContain(digest);
    const attestation: unknown = JSON.parse(
      cosign("verify-attestation", "--type", "slsaprovenance", subject).split("\n")[0] ?? "",
    );
    const statement = Buffer.from(String(at(attestation, "payload")), "base64").toString();
    expect(at(JSON.parse(statement), "subject", 0, "digest", "sha256")).toBe(digest.slice("sha256:".length));
  });
});
