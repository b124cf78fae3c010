import type { FilePlace } from "../model/target.ts";
import { kustomizeStrings, listedValues, mayBeArgocd } from "./argocd-sites.ts";
import { embeddingOf, sourcesIn } from "./embedded.ts";
import { markedSites } from "./flux-markers.ts";
import {
  fieldSites,
  type ImageSite,
  referenceSites,
  type SiteFinder,
  uniqueSites,
  untaggedImages,
} from "./image-sites.ts";
import { type Slot, startOf, textAt, valueAt } from "./place.ts";
import { scalarText } from "./scalar.ts";
import type { Source } from "./source.ts";

/** How one kind of file says which image runs. A new format is a row of the table and, if need be, a finder. */
interface Format {
  finders: readonly SiteFinder[];
  /** Which documents are looked at; absent: all. */
  reads?(source: Source, document: number): boolean;
  /** True when texts in the file that are YAML of their own are looked into. */
  texts?: true;
}

const EVERY_FINDER = [referenceSites, untaggedImages, fieldSites, kustomizeStrings, listedValues, markedSites];

const FORMATS = {
  auto: { finders: EVERY_FINDER, texts: true },
  helm: { finders: [referenceSites, untaggedImages, fieldSites] },
  // Fields too: resources of Flux and others hold values of charts.
  raw: { finders: [referenceSites, untaggedImages, fieldSites] },
  patch: { finders: [referenceSites, untaggedImages, fieldSites, listedValues], texts: true },
  argocd: {
    finders: [referenceSites, fieldSites, kustomizeStrings, listedValues],
    reads: mayBeArgocd,
    texts: true,
  },
  json: { finders: [referenceSites, untaggedImages, fieldSites] },
  flux: { finders: [markedSites] },
  yaml: { finders: EVERY_FINDER },
} satisfies Record<FilePlace["format"] | "auto", Format>;

/** Every site of an image that a format knows, in the order of the text; texts inside come behind what holds them. */
export function findSites(source: Source, format: keyof typeof FORMATS, repository: string): ImageSite[] {
  const { finders, reads, texts }: Format = FORMATS[format];
  const sites = (texts === true ? sourcesIn(source) : [source]).flatMap((one) =>
    [...one.documents.keys()]
      .filter((document) => one !== source || (reads?.(one, document) ?? true))
      .flatMap((document) => finders.flatMap((find) => find(one, document, repository)))
      .toSorted((a, b) => startOf(a.at.node) - startOf(b.at.node)),
  );
  return uniqueSites(sites.filter(({ at }) => !isTested(at)));
}

/** The test of a JSON6902 patch says what its base has: that is not ours to make true. */
function isTested({ chain }: Slot): boolean {
  return chain.some((node) => textAt(node, "op") === "test" && textAt(node, "path") !== undefined);
}

/** True for values of the resource `Kind/name`, wherever it stands: in a document, an item of a list, or a text in it. */
export function isOfResource({ chain, source }: Pick<Slot, "chain" | "source">, resource: string): boolean {
  const isIt = chain.some(
    (node) => `${textAt(node, "kind")}/${textAt(valueAt(node, "metadata"), "name")}` === resource,
  );
  const around = embeddingOf(source)?.slot;
  return isIt || (around !== undefined && isOfResource(around, resource));
}

/** True for the `image` of a container of that name. */
export function isOfContainer({ holder, pair }: Slot, name: string): boolean {
  return scalarText(pair?.key) === "image" && textAt(holder, "name") === name;
}
