import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { program } from "../cluster/cache.ts";
import { at, Kube, type Manifest, manifestsOf } from "../cluster/kube.ts";
import { CHAINS_NAMESPACE, chainsPublicKey } from "../cluster/parts/chains.ts";
import { CiNamespace } from "../fixtures/ci-namespace.ts";
import { environment, notOurs, runId, until } from "../fixtures/environment.ts";
import { verify } from "../fixtures/verify.ts";

if (notOurs !== undefined) console.log(`chains/shipped.e2e.test.ts is skipped: ${notOurs}`);

describe.skipIf(notOurs !== undefined)("Chains with the shipped settings", () => {
  const image = `${environment.registry}/chains/shipped-${runId}`;
  const home = mkdtempSync(path.join(tmpdir(), "gitspan-e2e-cosign-"));
  const chains = new Kube(environment.kubeconfig, CHAINS_NAMESPACE);
  const config = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "chains-config", namespace: CHAINS_NAMESPACE },
  };
  let before: Manifest;
  let ci: CiNamespace;

  beforeAll(async () => {
    before = await chains.read(config);
    const [shipped] = manifestsOf("tasks/chains/chains-config.yaml");
    const data = { ...Object(at(shipped, "data")), "storage.oci.repository.insecure": "true" };
    await chains.merge({ ...config, data: { ...nothing(at(before, "data")), ...data } });
    ci = await CiNamespace.install(`chains-shipped-${runId}`, "secret");
    const folder = await ci.addVolume(`${ci.namespace}-build`, "build-source");
    writeFileSync(path.join(folder, "Dockerfile"), `FROM ${environment.busybox}\n`);
    chmodSync(path.join(folder, "Dockerfile"), 0o644);
  });

  afterAll(async () => {
    await chains.merge({
      ...config,
      data: { ...nothing(at(before, "data"), await chains.read(config)), ...Object(at(before, "data")) },
    });
    await ci.close();
    rmSync(home, { recursive: true });
  });

  it("signs what build-image pushed, and its provenance has the SLSA predicate 1.0", async () => {
    const run = await ci.run({
      apiVersion: "tekton.dev/v1",
      kind: "TaskRun",
      metadata: { generateName: "build-image-" },
      spec: {
        taskRef: { name: "build-image" },
        params: [
          { name: "image", value: `${image}:1` },
          { name: "kaniko-image", value: environment.kaniko },
          { name: "shell-image", value: environment.busybox },
          { name: "extra-args", value: ["--insecure", "--insecure-pull"] },
        ],
        workspaces: [{ name: "source", persistentVolumeClaim: { claimName: "build-source" } }],
      },
    });
    const name = String(run.metadata?.name);
    await until("the run is signed", async () => {
      const found = await ci.kube.read({ apiVersion: "tekton.dev/v1", kind: "TaskRun", metadata: { name } });
      return at(found, "metadata", "annotations", "chains.tekton.dev/signed") === "true" ? true : undefined;
    });
    const subject = `${image}:1`;
    expect(cosign("verify", subject)).toContain("sha256:");
    const ofTheTask = ["--provenance", "taskrun", "--builder", "https://tekton.example.com/chains"];
    const { uid = "" } = run.metadata ?? {};
    expect(verify(subject, chainsPublicKey, ...ofTheTask, "--run", uid)).toMatchObject({ proven: true });
    expect(verify(subject, chainsPublicKey, ...ofTheTask, "--run", "another")).toMatchObject({ proven: false });
    const envelope: unknown = JSON.parse(
      cosign("verify-attestation", "--type", "slsaprovenance1", subject).split("\n")[0] ?? "",
    );
    const statement: unknown = JSON.parse(Buffer.from(String(at(envelope, "payload")), "base64").toString());
    expect(at(statement, "predicateType")).toBe("https://slsa.dev/provenance/v1");
    expect(at(statement, "predicate", "runDetails", "builder", "id")).toBe("https://tekton.example.com/chains");
  });

  function cosign(...args: string[]): string {
    const env = { PATH: process.env.PATH, HOME: home };
    const insecure = ["--insecure-ignore-tlog", "--allow-insecure-registry", "--allow-http-registry"];
    const all = [...args, "--key", chainsPublicKey, ...insecure];
    return execFileSync(program("cosign", "cosign"), all, { encoding: "utf8", env, stdio: "pipe" });
  }
});

/** A merge patch that takes all keys out. */
function nothing(data: unknown, also?: Manifest): Record<string, null> {
  const keys = [...Object.keys(Object(data)), ...Object.keys(Object(at(also, "data")))];
  return Object.fromEntries(keys.map((key) => [key, null]));
}
