import type { Build } from "../model/build.ts";
import { type Ordered, orderOf } from "../model/order.ts";
import type { SourceHistory } from "./ports.ts";

/** Whether build A is older or newer than B, by their source's history. */
export async function compareBuilds(history: SourceHistory, a: Build, b: Build, signal: AbortSignal): Promise<Ordered> {
  if (a.id === b.id) return { order: "same" };
  return orderOf(a, b, await history.relation(a, b, signal));
}

/** The newest of some builds, with the warnings of comparisons that history could not decide. */
export async function newest<T extends { build: Build }>(
  history: SourceHistory,
  candidates: readonly T[],
  signal: AbortSignal,
): Promise<{ newest: T | undefined; warnings: string[] }> {
  let best: T | undefined;
  const warnings: string[] = [];
  for (const candidate of candidates) {
    if (best === undefined) {
      best = candidate;
      continue;
    }
    const { order, warning } = await compareBuilds(history, candidate.build, best.build, signal);
    if (warning !== undefined) warnings.push(warning);
    if (order === "newer") best = candidate;
  }
  return { newest: best, warnings };
}
