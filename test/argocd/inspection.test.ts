import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { inspectionOfTree, podsOf } from "../../src/argocd/inspection.ts";

const recorded = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../golden/argocd/rest/resource-tree-${name}.json`, import.meta.url), "utf8"));
const brief = (name: string) =>
  inspectionOfTree(recorded(name)).pods.map(({ ready, restarts, reason, images }) => [
    images[0]?.replace(/.*:/, ""),
    ready,
    restarts,
    reason,
  ]);

test("the Pods of a recorded resource tree", () => {
  expect(brief("crash")).toEqual([
    ["1.0.0", true, 0, "Running"],
    ["1.0.0", true, 0, "Running"],
    ["crash", false, 1, "CrashLoopBackOff"],
  ]);
  expect(brief("imagepull").at(-1)).toEqual(["9.9.9", false, 0, "ImagePullBackOff"]);
  // Argo CD calls this Healthy.
  expect(brief("late-green-again")).toEqual([
    ["late", true, 1, "Running"],
    ["late", true, 0, "Running"],
  ]);
});

test("what made the Pods is told with its health and all images that run", () => {
  expect(inspectionOfTree(recorded("crash")).health).toEqual([
    {
      resource: "Deployment/shop-dev/web",
      status: "Degraded",
      images: ["127.0.0.1:5000/shop/web:1.0.0", "127.0.0.1:5000/shop/web:crash"],
    },
  ]);
});

test("Pods are taken in every form in which people have them", () => {
  const image = "registry.example.com/shop/checkout:2";
  const object = {
    kind: "Pod",
    metadata: { name: "a", ownerReferences: [{ kind: "ReplicaSet", name: "rs" }] },
    spec: { containers: [{ image }] },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: "False" }],
      containerStatuses: [{ restartCount: 3, state: { waiting: { reason: "CrashLoopBackOff" } } }],
    },
  };
  const pod = { name: "a", images: [image], ready: false, restarts: 3, reason: "CrashLoopBackOff", owner: "rs" };
  expect(podsOf({ kind: "List", items: [object, { kind: "Service" }] })).toEqual([pod]);
  expect(podsOf([{ ...object, metadata: { ...object.metadata, deletionTimestamp: "now" } }])).toEqual([
    { ...pod, reason: "Terminating" },
  ]);
  expect(podsOf(recorded("crash"))).toEqual(inspectionOfTree(recorded("crash")).pods);
  expect(
    podsOf([
      { ...pod, image },
      { kind: "dep", image },
    ]),
  ).toEqual([{ ...pod, images: [image, image] }]);
  expect(podsOf([{ key: "shop/a", image, ready: true, restarts: 1, state: "waiting:Error" }])).toEqual([
    { name: "shop/a", images: [image], ready: true, restarts: 1, reason: "Error", owner: "" },
  ]);
  for (const nothing of [undefined, null, "x", 7, {}, { nodes: null }]) expect(podsOf(nothing)).toEqual([]);
});
