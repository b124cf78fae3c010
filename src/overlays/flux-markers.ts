import { isScalar } from "yaml";
import type { ImageSite } from "./image-sites.ts";
import { readReference, sameRepository } from "./image-text.ts";
import type { Slot } from "./place.ts";
import { scalarText } from "./scalar.ts";
import type { Source } from "./source.ts";
import { walk } from "./walk.ts";

// https://fluxcd.io/flux/guides/image-update/#configure-image-update-for-custom-resources
const MARKER =
  /^[ \t]*[,\]}]*[ \t]+#[ \t]*\{[ \t]*"\$imagepolicy"[ \t]*:[ \t]*"(?<policy>[^":]+:[^":]+)(?::(?<part>tag|name|digest))?"[ \t]*\}/;

interface Marked {
  slot: Slot;
  /** `namespace:name` of the ImagePolicy. */
  policy: string;
  /** Absent: the whole reference. */
  part: Part | undefined;
}

const PARTS = ["name", "tag", "digest"] as const;
type Part = (typeof PARTS)[number];

/** Every value of a document with a marker comment behind it. */
function markedValues(source: Source, document: number): Marked[] {
  if (!source.text.includes("$imagepolicy")) return [];
  return walk(source, document).slots.flatMap((slot) => {
    const end = isScalar(slot.node) ? slot.node.range?.[1] : undefined;
    if (end === undefined) return [];
    const lineEnd = source.text.indexOf("\n", end);
    const rest = source.text.slice(end, lineEnd < 0 ? undefined : lineEnd);
    const { policy, part } = MARKER.exec(rest)?.groups ?? {};
    return policy === undefined ? [] : [{ slot, policy, part: PARTS.find((name) => name === part) }];
  });
}

/** What the markers of one policy point at. The values of one map are one site. */
export function policySites(source: Source, document: number, policy: string): ImageSite[] {
  const sites: ImageSite[] = [];
  const byHolder = new Map<unknown, ImageSite>();
  for (const { slot, part } of markedValues(source, document).filter((one) => one.policy === policy)) {
    if (part === undefined) {
      sites.push({ at: slot, reference: slot });
      continue;
    }
    const earlier = slot.pair === undefined ? undefined : byHolder.get(slot.holder);
    if (earlier !== undefined && earlier[part] === undefined) {
      earlier[part] = slot;
      continue;
    }
    const site: ImageSite = { at: slot, [part]: slot };
    sites.push(site);
    byHolder.set(slot.holder, site);
  }
  // A name alone says nothing that a build could move.
  return sites.filter(({ reference, tag, digest }) => (reference ?? tag ?? digest) !== undefined);
}

/** The sites of the policies whose marked names say this image. */
export function markedSites(source: Source, document: number, repository: string): ImageSite[] {
  const marked = markedValues(source, document);
  const policies = marked.filter(({ slot, part }) => {
    const text = scalarText(slot.node) ?? "";
    const name = part === "name" ? text : part === undefined ? readReference(text)?.repository : undefined;
    return name !== undefined && sameRepository(name, repository);
  });
  return [...new Set(policies.map(({ policy }) => policy))].flatMap((policy) => policySites(source, document, policy));
}
