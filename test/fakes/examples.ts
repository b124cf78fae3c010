import type { Build } from "../../src/model/build.ts";
import type { Delivery } from "../../src/model/delivery.ts";
import type { Target } from "../../src/model/target.ts";

export const T0 = Date.UTC(2026, 0, 2, 3, 4, 5);

/** Complete objects for tests; each test states only what it is about. */
export function aBuild(overrides: Partial<Build> = {}): Build {
  return {
    id: "build-1",
    artifacts: [{ name: "checkout", repository: "registry.example.com/shop/checkout", tag: "1.4.2" }],
    source: {
      repository: "https://git.example.com/shop/checkout.git",
      commit: "c".repeat(40),
      ref: "refs/heads/main",
      time: T0,
      subject: "Fix the basket",
      author: "Ada <ada@example.com>",
    },
    run: { kind: "PipelineRun", uid: "run-1", namespace: "shop-ci", name: "checkout-7", finishedAt: T0 + 60_000 },
    subject: "token:shop-ci",
    groups: [],
    createdAt: T0 + 61_000,
    ...overrides,
  };
}

export function aDelivery(overrides: Partial<Delivery> = {}): Delivery {
  return {
    id: "delivery-1",
    kind: "build",
    buildId: "build-1",
    targetId: "checkout/staging",
    app: "checkout",
    environment: "staging",
    laneId: "gitops@main",
    images: [{ name: "checkout", repository: "registry.example.com/shop/checkout", tag: "1.4.2" }],
    phase: "received",
    version: 1,
    dueAt: T0,
    expireAt: T0 + 86_400_000,
    createdAt: T0,
    updatedAt: T0,
    ...overrides,
  };
}

export function aTarget(overrides: Partial<Target> = {}): Target {
  return {
    id: "checkout/staging",
    app: "checkout",
    environment: "staging",
    repository: "gitops",
    branch: "main",
    images: [{ name: "checkout", repository: "registry.example.com/shop/checkout" }],
    places: [{ format: "kustomize", directory: "apps/checkout/overlays/staging" }],
    applications: undefined,
    policy: { settleMs: 30_000, degradedMs: 45_000, timeoutMs: 600_000, expireAfterMs: 86_400_000 },
    ...overrides,
  };
}
