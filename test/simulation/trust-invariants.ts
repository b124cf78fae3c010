import { deliveryOf, type History } from "./invariants.ts";
import { PROOF_MS, PROVEN_APP } from "./settings.ts";

/** Where proof is wanted, nothing unproven is written, and nothing that was proven in time is refused. */
export function trustViolations(history: History & { provenAt: ReadonlyMap<string, number> }): string[] {
  const { commits, deliveries, provenAt } = history;
  const byId = new Map(deliveries.map((delivery) => [delivery.id, delivery]));
  const provenOf = (id: string): number => {
    const digest = byId.get(id)?.images[0]?.digest ?? "";
    return provenAt.get(digest) ?? Number.POSITIVE_INFINITY;
  };
  const written = commits.flatMap((commit) => {
    const delivery = byId.get(deliveryOf(commit) ?? "");
    if (delivery?.targetId !== `${PROVEN_APP}/prod` || delivery.kind === "rollback") return [];
    // A commit knows whole seconds only.
    const isProven = delivery.trust !== undefined && provenOf(delivery.id) < commit.committedAt + 1_000;
    return isProven ? [] : [`delivery ${delivery.id} was written before it was proven`];
  });
  const refused = deliveries
    .filter(({ reason }) => reason === "untrusted")
    .filter(({ id, createdAt }) => provenOf(id) < createdAt + PROOF_MS)
    .map(({ id }) => `delivery ${id} was refused although it was proven in time`);
  return [...written, ...refused];
}
