import { isMap, type Node } from "yaml";
import type { GitspanError } from "../model/errors.ts";
import { assignNamed } from "./assign.ts";
import { carryOut, type Plan } from "./carry-out.ts";
import type { EditResult } from "./change.ts";
import { findSites, type ImageSite } from "./image-sites.ts";
import { type BumpIntent, type EditIntent, type ImageIntent, type SetValueIntent, wantedFields } from "./intents.ts";
import { type Entry, imageEntries, kindOf, selectEntries } from "./kustomize-entries.ts";
import { planKustomizeImages } from "./kustomize-images.ts";
import { planRefs } from "./kustomize-refs.ts";
import { locate } from "./locate.ts";
import { type Slot, startOf } from "./place.ts";
import { planSites, siteMissing } from "./plan-sites.ts";
import { parseSource, refusal, type Source } from "./source.ts";
import { mentionWarning, onlyInText } from "./text-mentions.ts";

/** Where images are looked for; `auto`: everywhere. */
export const FILE_FORMATS = ["auto", "kustomize", "helm", "raw"] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

/**
 * Changes one YAML file, whatever it is. All intents or none; throws the `edit-...` errors with file, line and column.
 * The intents are independent of each other: their order does not matter, two that want different things of one value
 * are refused.
 */
export function editFile(
  text: string,
  intents: readonly EditIntent[],
  file: string,
  format: FileFormat = "auto",
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
    ...intents.map((intent) => (intent.op === "bump" ? planBump(source, intent, format) : NOTHING)),
  ];
  return carryOut(source, {
    steps: plans.flatMap(({ steps }) => steps),
    warnings: plans.flatMap(({ warnings }) => warnings),
  });
}

const NOTHING: Plan = { steps: [], warnings: [] };

function valueOf(source: Source, intent: SetValueIntent): { slot: Slot; value: string } {
  const documents = intent.doc === undefined ? [...source.documents.keys()] : [intent.doc];
  const slots: Slot[] = [];
  let error: GitspanError | undefined;
  for (const document of documents) {
    const located = locate(source, document, intent.path);
    if (located.kind === "found") slots.push(located.slot);
    else error ??= located.error;
  }
  const [slot, second] = slots;
  if (slot === undefined) throw error ?? siteMissing(source, "value");
  if (second === undefined) return { slot, value: intent.new };
  throw refusal(source, "edit-ambiguous", startOf(second.pair?.key ?? second.node), "a second document has this path", {
    hint: `Say which document is meant, counted from 0: ${second.document}#path.`,
  });
}

function planBump(source: Source, intent: BumpIntent, format: FileFormat): Plan {
  const { image: repository, newName, newTag, digest } = intent;
  const imageIntent: ImageIntent = { repository, newName, newTag, digest };
  const wanted = wantedFields(imageIntent, "tag+digest");
  const entries = format === "auto" || format === "kustomize" ? kustomizeEntries(source) : [];
  const sites = format === "kustomize" ? [] : sitesOf(source, entries, intent, format);
  const isListed = selectEntries(source, entries, repository).length > 0;
  // Without any place the list of images answers too: what was renamed already is done, else it names what it has.
  const inText = isListed || sites.length > 0 ? undefined : onlyInText(source, repository);
  if (inText !== undefined) throw inText;
  if (!isListed && sites.length === 0 && entries.length === 0 && format !== "kustomize")
    throw siteMissing(source, repository);
  const plans = [
    isListed || sites.length === 0 ? planKustomizeImages(source, [imageIntent], {}) : NOTHING,
    planSites(source, sites, wanted, repository),
  ];
  const steps = plans.flatMap((plan) => plan.steps);
  const mentioned = steps.length === 0 ? [] : mentionWarning(source, repository);
  return { steps, warnings: [...plans.flatMap(({ warnings }) => warnings), ...mentioned] };
}

function sitesOf(source: Source, entries: readonly Entry[], intent: BumpIntent, format: FileFormat): ImageSite[] {
  const listed = new Set<unknown>(entries.map(({ place }) => place.map));
  const find = (repository: string): ImageSite[] =>
    [...source.documents.keys()]
      .flatMap((document) => findSites(source, document, repository))
      .filter((site) => !listed.has(site.at.holder) && (format !== "raw" || site.reference !== undefined));
  const sites = find(intent.image);
  return sites.length > 0 || intent.newName === undefined ? sites : find(intent.newName);
}

const KUSTOMIZATION = /(?:^|\/)(?:kustomization\.ya?ml|Kustomization)$/;

/** Entries of `images` lists that kustomize would read: other files have lists of that name too. */
function kustomizeEntries(source: Source): Entry[] {
  const named = KUSTOMIZATION.test(source.file);
  return imageEntries(source).filter(({ place, newName }) => {
    const [root] = place.chain;
    const says = isMap<Node, Node | null>(root) && kindOf(root) !== undefined;
    return named || says || newName !== undefined || place.map.has("newTag") || place.map.has("digest");
  });
}
