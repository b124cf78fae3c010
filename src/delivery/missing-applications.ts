import type { ClaimGroup, Undecided } from "../model/annotated.ts";
import { type ApplicationRef, formatApplicationRef } from "../model/application.ts";
import type { Asked } from "./claims.ts";

/**
 * A list may lack Applications for a moment: an account that has lost its rights gets an empty one, and an ApplicationSet
 * makes its Applications anew. For so long nobody decides: nothing is written, and nothing that is on its way is ended.
 */
const MISSING_MS = 60_000;

/** Targets whose Applications were there a moment ago, and are in no list now. */
export class MissingApplications {
  readonly #since = new Map<string, { at: number; undecided: Undecided }>();

  get undecided(): Undecided[] {
    return [...this.#since.values()].map(({ undecided }) => undecided);
  }

  /** True when there are others than before. `exists`: it is there, and does not ask to be a target any more. */
  async take(
    { before, after, now }: { before: Asked; after: Asked; now: number },
    exists: (ref: ApplicationRef) => Promise<boolean>,
  ): Promise<boolean> {
    const earlier = [...this.#since.keys()].join();
    const known = new Set(after.groups.map(({ id }) => id));
    const refused = new Set(after.refused.map(({ application }) => formatApplicationRef(application)));
    for (const [id, { at }] of this.#since) if (known.has(id) || now - at >= MISSING_MS) this.#since.delete(id);
    for (const group of before === after ? [] : before.groups.filter(({ id }) => !known.has(id))) {
      const refs = group.claims.map(({ application }) => application);
      const told = await Promise.all(refs.map(async (ref) => refused.has(formatApplicationRef(ref)) || exists(ref)));
      if (!told.includes(true)) this.#since.set(group.id, { at: now, undecided: undecidedOf(group) });
    }
    return earlier !== [...this.#since.keys()].join();
  }

  /** After a change of the rules: what they do not let be a target is none. */
  forget(): void {
    this.#since.clear();
  }
}

function undecidedOf({ id, images, claims: [{ application, rule }] }: ClaimGroup): Undecided {
  const why = `${id} is not known now: Application ${formatApplicationRef(application)} is in no list of Argo CD`;
  return { id, images: images.map(({ repository }) => repository), from: rule.from, why };
}
