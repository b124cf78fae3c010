import { describe, expect, it } from "vitest";
import { Kube, manifestsOf } from "../cluster/kube.ts";
import { environment } from "../fixtures/environment.ts";

describe("what argocd/ ships", () => {
  const kube = new Kube(environment.kubeconfig, "argocd");

  it.each(["application", "applicationset", "project"])("is valid for the real definitions: %s.yaml", async (name) => {
    const manifests = manifestsOf(`argocd/${name}.yaml`);
    expect(manifests.length).toBeGreaterThan(0);
    for (const manifest of manifests) await kube.validate(manifest);
  });

  it("is checked by the server: a field that does not exist is refused", async () => {
    const [application] = manifestsOf("argocd/application.yaml");
    await expect(kube.validate({ ...application, spec: { nonsense: true } })).rejects.toThrow(/nonsense/);
  });
});
