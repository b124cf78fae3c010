import type { Build } from "../model/build.ts";
import type { Delivery, ImageValue } from "../model/delivery.ts";

export interface Written {
  delivery: Delivery;
  build: Build;
}

/** What a rollback takes out, newest first, and the delivery whose values it brings back. */
export interface Undoing {
  undone: Written[];
  restores: Written | undefined;
}

/**
 * Back to the last healthy delivery: everything that landed after it and still counts is taken out (protocols.md
 * section 7). Of a target that runs healthy, back to the healthy one before. `written` is newest landing first.
 */
export function backToHealthy(written: readonly Written[], lastHealthyId: string | undefined): Undoing | undefined {
  const [current, ...before] = written;
  if (current === undefined) return undefined;
  const isWanted = ({ delivery }: Written): boolean =>
    delivery.outcome === "healthy" && (delivery.revertedBy === undefined || delivery.id === lastHealthyId);
  const last = before.find(({ delivery }) => delivery.id === lastHealthyId);
  const restores = last ?? (lastHealthyId === current.delivery.id ? before.find(isWanted) : undefined);
  if (restores === undefined) return undefined;
  const newer = written.slice(0, written.indexOf(restores));
  // A rollback and what it took out come to nothing together.
  const undone = newer.filter(({ delivery }) => delivery.kind !== "rollback" && delivery.revertedBy === undefined);
  return { undone, restores };
}

/** Back to what stood before the last one, whatever became of that. */
export function backToBefore(written: readonly Written[]): Undoing | undefined {
  const [current, before] = written;
  return current === undefined ? undefined : { undone: [current], restores: before };
}

/**
 * The values to bring back, as far as deliveries tell: for each image that is taken out, what the restored delivery
 * brought, else what an older one did.
 */
export function valuesBefore(written: readonly Written[], { undone, restores }: Undoing): ImageValue[] {
  if (restores === undefined) return [];
  const older = written.slice(written.indexOf(restores));
  const taken = new Set(undone.flatMap(({ delivery }) => delivery.images.map(({ repository }) => repository)));
  return [...taken].flatMap((repository) => {
    for (const { delivery } of older) {
      const found = delivery.images.find((image) => image.repository === repository);
      if (found !== undefined) return [found];
    }
    return [];
  });
}
