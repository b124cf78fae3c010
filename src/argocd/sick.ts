import type { ApplicationRef, ApplicationSnapshot } from "../model/application.ts";

/** Which Applications of a cluster have turned Degraded within so long: by the newest of Argo CD's own times. */
export function sickOf(
  all: readonly ApplicationSnapshot[],
  { cluster, withinMs }: { cluster: string; withinMs: number },
): { total: number; degraded: ApplicationRef[] } {
  const own = all.filter(({ ref }) => ref.cluster === cluster);
  const times = own.flatMap(({ reconciledAt, healthSince }) => [timeOf(reconciledAt), timeOf(healthSince)]);
  const since = times.reduce((a, b) => Math.max(a, b), 0) - withinMs;
  const degraded = own.filter(({ health, healthSince }) => health === "Degraded" && timeOf(healthSince) >= since);
  return { total: own.length, degraded: degraded.map(({ ref }) => ref) };
}

function timeOf(text: string | undefined): number {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? 0 : time;
}
