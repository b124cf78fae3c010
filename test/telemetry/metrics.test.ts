import { expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import type { Metrics } from "../../src/delivery/ports.ts";
import type { HttpDeps } from "../../src/http/deps.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";

const { clock } = systemAmbient;

it("counts what happened and shows it in the text format", async () => {
  const bridge = createMetrics({ version: "1.2.3", clock });
  const metrics: Metrics & HttpDeps["metrics"] = bridge;
  metrics.buildAccepted("accepted");
  metrics.buildAccepted("accepted");
  metrics.push("lost-race");
  metrics.stage("write", 0.3);
  metrics.commitToHealthy(40);
  metrics.rollback("automatic", "braked");
  metrics.event("tekton", "ignored");
  metrics.trust("waiting");
  bridge.registryRequest("absent");
  metrics.request({ route: "/v1/builds/:id", method: "GET", status: 404, seconds: 0.2 });
  metrics.streams(3);
  const { contentType, body } = await bridge.page();
  expect(contentType).toContain("text/plain");
  for (const line of [
    'gitspan_builds_total{result="accepted"} 2',
    'gitspan_git_push_total{result="lost-race"} 1',
    'gitspan_stage_seconds_bucket{le="0.5",stage="write"} 1',
    'gitspan_commit_to_healthy_seconds_bucket{le="45"} 1',
    'gitspan_rollbacks_total{trigger="automatic",result="braked"} 1',
    'gitspan_events_total{source="tekton",result="ignored"} 1',
    'gitspan_trust_decisions_total{result="waiting"} 1',
    'gitspan_registry_requests_total{result="absent"} 1',
    'gitspan_http_requests_total{route="/v1/builds/:id",method="GET",status="404"} 1',
    'gitspan_http_request_seconds_bucket{le="0.25",route="/v1/builds/:id",method="GET"} 1',
    "gitspan_http_streams 3",
    'gitspan_build_info{version="1.2.3"} 1',
  ]) {
    expect(body).toContain(line);
  }
  expect(body).toMatch(/^process_cpu_seconds_total /m);
});

it("reads the store and the watches whenever the page is read", async () => {
  const metrics = createMetrics({ version: "1", clock });
  let count = 1;
  metrics.readAtScrape({
    deliveries: async () => [
      { phase: "following", count: count++, oldestMs: 90_000 },
      { phase: "done", outcome: "failed", count: 7 },
    ],
    brakes: async () => [{ cluster: "main" }],
    watches: () => [
      { name: "argocd/main", ageMs: 1_500 },
      { name: "argocd/edge", ageMs: Number.POSITIVE_INFINITY },
    ],
    runs: () => [{ name: "tekton/main/shop-ci", ageMs: 500 }],
    failed: () => undefined,
  });
  expect((await metrics.page()).body).toContain('gitspan_deliveries{phase="following",outcome=""} 1');
  const { body } = await metrics.page();
  for (const line of [
    'gitspan_deliveries{phase="following",outcome=""} 2',
    'gitspan_deliveries{phase="done",outcome="failed"} 7',
    'gitspan_deliveries{phase="done",outcome="healthy"} 0',
    'gitspan_work_oldest_seconds{phase="following"} 90',
    'gitspan_work_oldest_seconds{phase="ready"} 0',
    'gitspan_argocd_watch_age_seconds{stream="argocd/main"} 1.5',
    'gitspan_argocd_watch_age_seconds{stream="argocd/edge"} +Inf',
    'gitspan_tekton_watch_age_seconds{stream="tekton/main/shop-ci"} 0.5',
    'gitspan_rollback_brake{cluster="main"} 1',
  ]) {
    expect(body).toContain(line);
  }
});

it.each([
  ["fails", () => Promise.reject(new Error("gone"))],
  ["does not answer", () => new Promise<never>(() => {})],
])("leaves out what a store that %s would have told, and nothing else", async (_what, deliveries) => {
  const metrics = createMetrics({ version: "1", clock: { now: () => 0, sleep: () => Promise.resolve() } });
  const failures: unknown[] = [];
  metrics.readAtScrape({
    deliveries,
    brakes: async () => [],
    watches: () => [],
    runs: () => [],
    failed: (error) => void failures.push(error),
  });
  metrics.buildAccepted("accepted");
  const { body } = await metrics.page();
  expect(body).not.toContain("gitspan_deliveries{");
  expect(body).toContain('gitspan_builds_total{result="accepted"} 1');
  expect(failures).toHaveLength(1);
});

it("keeps two bridges in one process apart", async () => {
  const [a, b] = [createMetrics({ version: "1", clock }), createMetrics({ version: "1", clock })];
  a.push("landed");
  expect((await b.page()).body).not.toContain('result="landed"');
});
