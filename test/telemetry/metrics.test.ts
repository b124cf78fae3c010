import { expect, it } from "vitest";
import type { Metrics } from "../../src/delivery/ports.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";

it("counts what happened and shows it in the text format", async () => {
  const bridge = createMetrics({ version: "1.2.3" });
  const metrics: Metrics = bridge;
  metrics.buildAccepted("accepted");
  metrics.buildAccepted("accepted");
  metrics.deliveryDone("healthy");
  metrics.push("lost-race");
  metrics.stage("write", 0.3);
  const { contentType, body } = await bridge.page();
  expect(contentType).toContain("text/plain");
  expect(body).toContain('gitspan_builds_total{result="accepted"} 2');
  expect(body).toContain('gitspan_deliveries_total{outcome="healthy"} 1');
  expect(body).toContain('gitspan_push_total{result="lost-race"} 1');
  expect(body).toContain('gitspan_stage_seconds_bucket{le="0.5",stage="write"} 1');
  expect(body).toContain('gitspan_build_info{version="1.2.3"} 1');
});

it("keeps two bridges in one process apart", async () => {
  const [a, b] = [createMetrics({ version: "1" }), createMetrics({ version: "1" })];
  a.deliveryDone("failed");
  expect((await b.page()).body).not.toContain('outcome="failed"');
});
