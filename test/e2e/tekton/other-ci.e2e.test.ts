import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { program } from "../cluster/cache.ts";
import { Kube } from "../cluster/kube.ts";
import { BridgeProcess, QUICK } from "../fixtures/bridge-process.ts";
import { environment, notOurs, runId, until } from "../fixtures/environment.ts";
import { GitopsRepository } from "../fixtures/gitops-repository.ts";

if (notOurs !== undefined) console.log(`tekton/other-ci.e2e.test.ts is skipped: ${notOurs}`);

// The API server makes tokens as any issuer of OpenID Connect does: gitspan knows its public keys, and asks it nothing.
describe.skipIf(notOurs !== undefined)("a token of another CI, from an issuer that gitspan does not ask", () => {
  const namespace = `other-ci-${runId}`;
  const app = `other-${runId}`;
  const image = `${environment.registry}/shop/${app}`;
  const overlay = `apps/${app}/dev`;
  const digest = `sha256:${"7".repeat(64)}`;
  const kube = new Kube(environment.kubeconfig, namespace);
  const keys = mkdtempSync(path.join(tmpdir(), "gitspan-e2e-keys-"));
  let repository: GitopsRepository;
  let bridge: BridgeProcess;

  beforeAll(async () => {
    await kube.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    for (const name of ["builder", "stranger"])
      await kube.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name } });
    const { issuer } = JSON.parse(raw("/.well-known/openid-configuration")) as { issuer: string };
    const jwksFile = path.join(keys, "jwks.json");
    writeFileSync(jwksFile, raw("/openid/v1/jwks"));
    const text = `images:\n  - name: ${image}\n    newTag: 1.0.0\n`;
    repository = await GitopsRepository.create(`gitops-${app}`, { [`${overlay}/kustomization.yaml`]: text });
    bridge = await BridgeProcess.start({
      repositoryUrl: repository.url,
      apps: [{ name: app, image, source: "https://git.example.com/shop/other.git", overlays: { dev: overlay } }],
      environments: { dev: QUICK },
      namespaces: [],
      oidc: { cluster: { issuer, jwksFile } },
      deliverers: [`oidc:cluster:system:serviceaccount:${namespace}:builder`],
    });
  });

  afterAll(async () => {
    await bridge?.close();
    await repository?.close();
    await kube.remove({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    rmSync(keys, { recursive: true, force: true });
  });

  it("delivers under the name that the token proves", async () => {
    expect(await report(await kube.token("builder", ["gitspan"]))).toBe(202);
    await until("the commit", async () => (repository.commitsWith(app).length === 1 ? true : undefined));
    const [commit = ""] = repository.commitsWith(app);
    expect(repository.changedLines(commit).join("\n")).toContain(digest);
  });

  it("is refused for another audience, with a broken signature, and for who may not deliver", async () => {
    const good = await kube.token("builder", ["gitspan"]);
    const [head, claims, signature = ""] = good.split(".");
    const other = signature.startsWith("A") ? "B" : "A";
    expect(await report(await kube.token("builder", ["https://elsewhere.example.com"]))).toBe(401);
    expect(await report([head, claims, `${other}${signature.slice(1)}`].join("."))).toBe(401);
    expect(await report(await kube.token("stranger", ["gitspan"]))).toBe(403);
    expect(repository.commitsWith("Gitspan-Delivery: ")).toHaveLength(1);
  });

  async function report(token: string): Promise<number> {
    const build = {
      images: [{ image: `${image}:2.0.0`, digest }],
      source: { repository: "https://git.example.com/shop/other.git", commit: "7".repeat(40), ref: "refs/heads/main" },
    };
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const answer = await fetch(`${environment.bridgeUrl}/v1/builds`, {
      method: "POST",
      headers,
      body: JSON.stringify(build),
    });
    return answer.status;
  }
});

function raw(address: string): string {
  const kubectl = program("kubernetes", "kubectl");
  return execFileSync(kubectl, ["--kubeconfig", environment.kubeconfig, "get", "--raw", address], { encoding: "utf8" });
}
