import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { shipped } from "../../tasks/catalog.ts";
import { Kube, type Manifest } from "../cluster/kube.ts";
import { environment, runId } from "../fixtures/environment.ts";

/** No part of this cluster: their schemas are in the fast tests. A patch is no whole Deployment. */
const ELSEWHERE = new Set(["Kustomization", "Repository", "Route", "Deployment"]);

describe("what is shipped under tasks/, as the API server and Tekton's admission see it", () => {
  const namespace = `shipped-${runId}`;
  const kube = new Kube(environment.kubeconfig, namespace);
  const Namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };

  beforeAll(() => kube.apply(Namespace));
  afterAll(() => kube.remove(Namespace));

  it("is taken, without one field that they do not know", async () => {
    const objects = shipped().filter(({ object }) => !ELSEWHERE.has(String(object["kind"])));
    expect(objects.length).toBeGreaterThan(90);
    const refused: string[] = [];
    for (const { file, object } of objects) {
      try {
        await kube.validate(inOurs(object));
      } catch (error) {
        refused.push(`${file}: ${String(error)}`);
      }
    }
    expect(refused).toEqual([]);
  });

  /** Whatever namespace it is for, as these are not there; nothing is made. */
  function inOurs(object: object): Manifest {
    const manifest: Manifest = { ...object };
    if (manifest.metadata?.namespace === undefined) return manifest;
    return { ...manifest, metadata: Object.assign({}, manifest.metadata, { namespace }) };
  }
});
