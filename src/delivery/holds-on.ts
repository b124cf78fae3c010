import type { Ids } from "../model/ambient.ts";
import type { ImageValue } from "../model/delivery.ts";
import type { NewHold } from "../model/hold.ts";

/** On each digest that does not stand any more, and on the build: images that have only a tag are held by it. */
export function holdsOn(
  ids: Ids,
  input: Pick<NewHold, "targetId" | "buildId" | "by" | "why"> & {
    images: readonly ImageValue[];
    kept: ReadonlySet<string>;
  },
): NewHold[] {
  const { images, kept, ...hold } = input;
  const digests = new Set(images.flatMap(({ digest }) => digest ?? []).filter((digest) => !kept.has(digest)));
  if (digests.size === 0) return [{ ...hold, id: ids.uuid() }];
  return [...digests].map((digest) => ({ ...hold, id: ids.uuid(), digest }));
}
