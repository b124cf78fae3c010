const digest = `sha256:${"4f53cda1".repeat(8)}`;
const commit = "8f3c2a1b9d4e5f60718293a4b5c6d7e8f9012345";
const buildId = "0197a000-0000-7000-8000-00000000000b";
const deliveryId = "0197a000-0000-7000-8000-00000000000d";
const holdId = "0197a000-0000-7000-8000-00000000000e";

export const buildReportExample = {
  images: [{ image: "registry.example.com/shop/checkout:1.4.2", digest }],
  source: {
    repository: "https://git.example.com/shop/checkout.git",
    commit,
    ref: "refs/heads/main",
    time: "2026-01-02T03:04:05Z",
    subject: "Fix the basket",
    author: "Ada <ada@example.com>",
  },
  run: { kind: "PipelineRun", name: "checkout-7", uid: "5d1f0b6e", namespace: "shop-ci" },
};

export const deliveryExample = {
  id: deliveryId,
  kind: "build",
  build: buildId,
  target: "checkout/staging",
  app: "checkout",
  environment: "staging",
  images: [{ name: "checkout", repository: "registry.example.com/shop/checkout", tag: "1.4.2", digest }],
  phase: "done",
  outcome: "healthy",
  message: "It runs healthy.",
  repository: "gitops",
  branch: "main",
  commit: "1b9d4e5f60718293a4b5c6d7e8f90123458f3c2a",
  verdict: { state: "healthy", message: "It runs healthy." },
  createdAt: "2026-01-02T03:10:00.000Z",
  updatedAt: "2026-01-02T03:11:30.000Z",
  links: { self: `/v1/deliveries/${deliveryId}`, build: `/v1/builds/${buildId}` },
};

const rollbackId = "0197a000-0000-7000-8000-00000000000f";

export const rollbackExample = {
  ...deliveryExample,
  id: rollbackId,
  kind: "rollback",
  rollback: { undoes: [deliveryId], restores: holdId, trigger: "manual", by: "token:ada", why: "It charges twice." },
  phase: "received",
  outcome: undefined,
  message: undefined,
  commit: undefined,
  verdict: undefined,
  links: { self: `/v1/deliveries/${rollbackId}`, build: `/v1/builds/${buildId}` },
};

export const buildExample = {
  id: buildId,
  subject: "token:shop-ci",
  createdAt: "2026-01-02T03:10:00.000Z",
  images: deliveryExample.images,
  source: { ...buildReportExample.source, time: "2026-01-02T03:04:05.000Z" },
  run: buildReportExample.run,
  written: true,
  done: true,
  deliveries: [deliveryExample],
  links: { self: `/v1/builds/${buildId}` },
};

export const newHoldExample = {
  target: "checkout/staging",
  digest,
  why: "It charges twice.",
  until: "2026-02-01T00:00:00Z",
};

export const holdExample = {
  id: holdId,
  target: "checkout/staging",
  digest,
  by: "token:ada",
  why: "It charges twice.",
  createdAt: "2026-01-02T04:00:00.000Z",
  until: "2026-02-01T00:00:00.000Z",
  links: { self: `/v1/holds/${holdId}`, target: "/v1/targets/checkout/staging" },
};

export const targetExample = {
  id: "checkout/staging",
  app: "checkout",
  environment: "staging",
  repository: "gitops",
  branch: "main",
  images: [{ name: "checkout", repository: "registry.example.com/shop/checkout" }],
  current: deliveryExample,
  lastHealthy: deliveryId,
  holds: [holdExample],
  since: "2026-01-01T00:00:00.000Z",
  links: { self: "/v1/targets/checkout/staging" },
};

export const planExample = { images: buildReportExample.images, targets: ["checkout/staging"] };

export const previewExample = {
  targets: [
    {
      target: "checkout/staging",
      repository: "gitops",
      branch: "main",
      base: "3953f9ddf975ab5097ee468d99555c5b441169bf",
      diff: '--- a/apps/checkout/overlays/staging/kustomization.yaml\n+++ b/apps/checkout/overlays/staging/kustomization.yaml\n@@ -1,3 +1,3 @@\n images:\n - name: registry.example.com/shop/checkout\n-  newTag: "1.4.1"\n+  newTag: "1.4.2"\n',
      message: "deploy(checkout): staging 1.4.2",
      warnings: [],
      applications: ["main/argocd/checkout-staging"],
    },
  ],
  misses: [],
};

export const problemExample = {
  type: "https://gitspan.dev/problems/bad-request",
  title: "The request is not valid",
  status: 400,
  code: "bad-request",
  detail: "the build report is not valid: images[0].digest must be sha256: and 64 lower-case hexadecimal digits",
  instance: "/v1/builds",
  requestId: "0197a000-0000-7000-8000-000000000001",
  errors: [{ path: "images[0].digest", message: "must be sha256: and 64 lower-case hexadecimal digits" }],
};

export const feedEventText = `id: 42
event: delivery
data: {"id":42,"at":"2026-01-02T03:11:30.000Z","kind":"done","message":"It runs healthy.","delivery":{...}}

`;
