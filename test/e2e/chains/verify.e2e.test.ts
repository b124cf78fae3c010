import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, Kube } from "../cluster/kube.ts";
import { chainsPublicKey } from "../cluster/parts/chains.ts";
import { BUSYBOX, push, reference } from "../cluster/parts/registry.ts";
import { Cosign, copySignatures } from "../fixtures/cosign.ts";
import { environment, notOurs, runId, until } from "../fixtures/environment.ts";
import { Pipelines } from "../fixtures/pipeline.ts";
import { verify } from "../fixtures/verify.ts";

if (notOurs !== undefined) console.log(`chains/verify.e2e.test.ts is skipped: ${notOurs}`);

const CHAINS = "https://tekton.dev/chains/v2";
/** What Chains would say of a Task in SLSA 1.0. */
const PREDICATE = {
  buildDefinition: {
    buildType: `${CHAINS}/slsa`,
    externalParameters: { runSpec: { taskRef: { name: "build-image" } } },
  },
  runDetails: { builder: { id: CHAINS }, metadata: { invocationId: "a-run", finishedOn: "2026-01-31T12:00:00Z" } },
};

describe.skipIf(notOurs !== undefined)("gitspan verify and the real cosign agree", () => {
  const name = `shop/agreed-${runId}`;
  const image = reference(name);
  const namespace = `verify-${runId}`;
  let cosign: Cosign;
  let pipelines: Pipelines;
  let signed: string;

  beforeAll(async () => {
    cosign = new Cosign();
    pipelines = await Pipelines.install(namespace);
    signed = await pipelines.build(image, "1.0.0");
    const kube = new Kube(environment.kubeconfig, namespace);
    await until("the run is signed", async () => {
      const [run] = await kube.list("tekton.dev/v1", "TaskRun");
      return at(run, "metadata", "annotations", "chains.tekton.dev/signed") === "true" ? true : undefined;
    });
  });

  afterAll(async () => {
    cosign?.close();
    await pipelines?.close();
  });

  /** An image of which nobody has said anything yet; returns its digest. */
  function anImage(content: string): string {
    const fill = (root: string) => writeFileSync(path.join(root, "content"), content);
    return push({ name: `${name}:${content}`, base: BUSYBOX, fill });
  }

  /** Both tools' decision, which has to be the same. */
  function decision(digest: string, publicKey: string, type: string): boolean {
    const subject = `${image}@${digest}`;
    const { proven, says } = verify(subject, publicKey, "--provenance", "taskrun");
    const accepted = cosign.accepts(subject, publicKey, type);
    expect(proven, `cosign says ${accepted}; ${says}`).toBe(accepted);
    return accepted;
  }

  it("on what Chains has signed, and that another key has not", () => {
    expect(decision(signed, chainsPublicKey, "slsaprovenance")).toBe(true);
    expect(decision(signed, cosign.publicKey, "slsaprovenance")).toBe(false);
  });

  it("on what nobody has signed", () => {
    expect(decision(anImage("unsigned"), chainsPublicKey, "slsaprovenance")).toBe(false);
  });

  it("on signatures of another image, put beside this one", () => {
    const other = anImage("replayed");
    copySignatures(image, signed, other);
    expect(decision(other, chainsPublicKey, "slsaprovenance")).toBe(false);
  });

  it("on Sigstore bundles that cosign has made, as soon as there is provenance", () => {
    const digest = anImage("bundles");
    cosign.sign(`${image}@${digest}`);
    expect(decision(digest, cosign.publicKey, "slsaprovenance1")).toBe(false);
    cosign.attest(`${image}@${digest}`, "slsaprovenance1", PREDICATE);
    expect(decision(digest, cosign.publicKey, "slsaprovenance1")).toBe(true);
    expect(decision(digest, chainsPublicKey, "slsaprovenance1")).toBe(false);
  });
});
