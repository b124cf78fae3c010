import { expect, it } from "vitest";
import { sickOf } from "../../src/argocd/sick.ts";
import { toSnapshot } from "../../src/argocd/snapshot.ts";

const application = (name: string, health: string, at: string) =>
  toSnapshot("main", {
    metadata: { name, namespace: "argocd" },
    status: { health: { status: health, lastTransitionTime: at }, reconciledAt: "2026-01-01T12:00:00Z" },
  });

it("counts those that turned Degraded within the time before the newest word of Argo CD", () => {
  const all = [
    application("good", "Healthy", "2026-01-01T11:59:00Z"),
    application("fresh", "Degraded", "2026-01-01T11:55:00Z"),
    application("old", "Degraded", "2026-01-01T11:30:00Z"),
    application("undated", "Degraded", ""),
  ];
  const { total, degraded } = sickOf(all, { cluster: "main", withinMs: 600_000 });
  expect([total, degraded.map(({ name }) => name)]).toEqual([4, ["fresh"]]);
});
