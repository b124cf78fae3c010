import { isMap, type Node } from "yaml";
import { FILE_FORMATS } from "../model/target.ts";
import { assignNamed } from "./assign.ts";
import { carryOut, joined, NOTHING, type Plan } from "./carry-out.ts";
import type { EditResult } from "./change.ts";
import { findSites } from "./formats.ts";
import type { ImageSite } from "./image-sites.ts";
import { type BumpIntent, type EditIntent, type ImageIntent, type SetValueIntent, wantedFields } from "./intents.ts";
import { type Entry, imageEntries, isKustomization, kindOf, selectEntries } from "./kustomize-entries.ts";
import { type KustomizeOptions, planKustomizeImages } from "./kustomize-images.ts";
import { planRefs } from "./kustomize-refs.ts";
import { locate } from "./locate.ts";
import { locateIn } from "./named-paths.ts";
import type { Slot } from "./place.ts";
import { planSites, siteMissing } from "./plan-sites.ts";
import { parseSource, type Source } from "./source.ts";
import { mentionWarning, onlyInText } from "./text-mentions.ts";

/** Where images are looked for; `auto`: everywhere. */
export const EDIT_FORMATS = ["auto", "kustomize", ...FILE_FORMATS] as const;
export type EditFormat = (typeof EDIT_FORMATS)[number];

/**
 * Changes one YAML file, whatever it is; `options` are about images. All intents or none; throws the `edit-...` errors with file, line and column.
 * The intents are independent of each other: their order does not matter, two that want different things of one value
 * are refused.
 */
export function editFile(
  text: string,
  intents: readonly EditIntent[],
  file: string,
  format: EditFormat = "auto",
  options: KustomizeOptions = {},
): EditResult {
  const source = parseSource(text, file);
  const images = intents.filter((intent) => intent.op === "set-image");
  const plans = [
    planKustomizeImages(source, images, {}),
    planRefs(
      source,
      intents.filter((intent) => intent.op === "set-ref"),
    ),
    assignNamed(intents.flatMap((intent) => (intent.op === "set-value" ? [valueOf(source, intent)] : []))),
    ...intents.map((intent) => (intent.op === "bump" ? planBump(source, intent, { format, options }) : NOTHING)),
  ];
  const bumps = intents.filter((intent) => intent.op === "bump");
  return carryOut(source, joined(plans), (result) =>
    joined(bumps.map((intent) => planBump(result, intent, { format, options }))),
  );
}

function valueOf(source: Source, { doc, path, new: value }: SetValueIntent): { slot: Slot; value: string } {
  const located = doc === undefined ? locateIn({ source }, path) : locate(source, doc, path);
  if (located.kind === "found") return { slot: located.slot, value };
  throw located.error;
}

function planBump(
  source: Source,
  intent: BumpIntent,
  { format, options }: { format: EditFormat; options: KustomizeOptions },
): Plan {
  const { image: repository, newName, newTag, digest } = intent;
  const imageIntent: ImageIntent = { repository, newName, newTag, digest };
  const wanted = wantedFields(imageIntent, options.policy ?? "tag+digest");
  const entries = format === "auto" || format === "kustomize" ? kustomizeEntries(source) : [];
  const sites = sitesOf(source, entries, intent, format);
  const isListed = selectEntries(source, entries, repository).length > 0;
  const isNowhere = !isListed && sites.length === 0;
  // Manifests that it renders from elsewhere may have the image: whether any does, the file does not tell.
  const adds = options.add === true && isNowhere && (format === "kustomize" || isKustomization(source.file));
  // Without any place the list of images answers too: what was renamed already is done, else it names what it has.
  const inText = isNowhere && !adds ? onlyInText(source, repository) : undefined;
  if (inText !== undefined) throw inText;
  if (isNowhere && !adds && entries.length === 0 && format !== "kustomize") throw siteMissing(source, repository);
  const plans = [
    isListed || sites.length === 0
      ? planKustomizeImages(source, [imageIntent], { policy: options.policy, add: adds })
      : NOTHING,
    planSites(source, sites, wanted, repository),
  ];
  const { steps } = joined(plans);
  const mentioned = steps.length === 0 ? [] : mentionWarning(source, repository, sites);
  return { steps, warnings: [...joined(plans).warnings, ...mentioned] };
}

function sitesOf(source: Source, entries: readonly Entry[], intent: BumpIntent, format: EditFormat): ImageSite[] {
  if (format === "kustomize") return [];
  const listed = new Set<unknown>(entries.map(({ place }) => place.map));
  const find = (repository: string): ImageSite[] =>
    findSites(source, format, repository).filter((site) => !listed.has(site.at.holder));
  const sites = find(intent.image);
  return sites.length > 0 || intent.newName === undefined ? sites : find(intent.newName);
}

/** Entries of `images` lists that kustomize would read: other files have lists of that name too. */
function kustomizeEntries(source: Source): Entry[] {
  const named = isKustomization(source.file);
  return imageEntries(source).filter(({ place, newName }) => {
    const [root] = place.chain;
    const says = isMap<Node, Node | null>(root) && kindOf(root) !== undefined;
    return named || says || newName !== undefined || place.map.has("newTag") || place.map.has("digest");
  });
}
