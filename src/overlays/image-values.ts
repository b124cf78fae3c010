import { isScalar } from "yaml";
import type { GitspanError } from "../model/errors.ts";
import type { Assignment } from "./assign.ts";
import type { ImageSite } from "./image-sites.ts";
import { type ReferenceText, readDigest, readReference, readTag, writeReference } from "./image-text.ts";
import type { WantedFields } from "./intents.ts";
import { keyOf, type MapPlace, type Slot, startOf, type YamlPair } from "./place.ts";
import { styleOf } from "./scalar.ts";
import { refusal } from "./source.ts";
import { insertValue, type Step, valueText } from "./steps.ts";

/** What an image's values come to at one site. */
export interface SitePlan {
  assignments: Assignment[];
  /** A digest that gets a line of its own. */
  insertions: Step[];
  /** True when the digest has no place here and only the tag is written. */
  tagOnly: boolean;
}

/** What stands at a site, as the workloads will name it. `fallback` is the name where the site does not say it. */
export function readSite(site: ImageSite, fallback: string): ReferenceText {
  const prefix = textOf(site.registry) ?? "";
  const full = (name: string): string => (prefix === "" ? name : `${prefix}/${name}`);
  if (site.reference !== undefined) {
    const found = referenceOf(site);
    return found === undefined ? { repository: fallback } : { ...found, repository: full(found.repository) };
  }
  const name = textOf(site.name);
  const { tag, digest: inTag } = readTag(textOf(site.tag) ?? "");
  return {
    repository: name === undefined ? fallback : full(name),
    tag,
    digest: readDigest(textOf(site.digest) ?? "") ?? inTag,
  };
}

/** What has to stand where so that the site says what is wanted. Throws `edit-unsupported` when it has no place for it. */
export function planSite(site: ImageSite, wanted: WantedFields): SitePlan {
  const plan: SitePlan = { assignments: [], insertions: [], tagOnly: false };
  if (site.reference !== undefined) {
    plan.assignments.push(assignment(site, site.reference, wantedReference(site, wanted)));
    return plan;
  }
  const { newName, newTag, digest } = wanted;
  if (newName !== undefined) {
    if (site.name === undefined) throw noPlace(site, "the name");
    plan.assignments.push(assignment(site, site.name, withoutRegistry(site, newName)));
  }
  if (newTag === undefined && digest === undefined) return plan;
  if (site.digest === undefined && site.digestLine === undefined) {
    plan.assignments.push(...tagAlone(site, wanted, plan));
    return plan;
  }
  // "" overrides what a chart or a values file before this one has; without the line that would count again.
  if (site.tag !== undefined) plan.assignments.push(...orEmpty(site, site.tag, newTag ?? ""));
  else if (typeof digest !== "string") throw noPlace(site, "the tag");
  if (site.digest !== undefined)
    plan.assignments.push(...orEmpty(site, site.digest, digestText(site.digest, digest ?? "")));
  else if (site.digestLine !== undefined && typeof digest === "string")
    plan.insertions.push(insertDigest(site, site.digestLine, digest));
  return plan;
}

/** A chart that was given no digest may not know one: `tag: 1.2@sha256:...` keeps its form, else the tag goes alone. */
function tagAlone(site: ImageSite, { newTag, digest }: WantedFields, plan: SitePlan): Assignment[] {
  if (site.tag === undefined) throw noPlace(site, "the tag");
  const before = readTag(textOf(site.tag) ?? "");
  if (before.digest !== undefined && typeof digest === "string") {
    const tag = before.tag === undefined ? "" : (newTag ?? "");
    if (tag === "" && before.tag !== undefined) throw noPlace(site, "a digest without a tag");
    return [assignment(site, site.tag, `${tag}@${digest}`)];
  }
  if (typeof newTag !== "string") throw noPlace(site, "a digest");
  plan.tagOnly = typeof digest === "string";
  return [assignment(site, site.tag, newTag)];
}

function referenceOf({ reference, prefix = "" }: ImageSite): ReferenceText | undefined {
  return readReference((textOf(reference) ?? "").slice(prefix.length));
}

function wantedReference(site: ImageSite, { newName, newTag, digest }: WantedFields): string {
  const before = referenceOf(site);
  const name = newName ?? site.emptyName;
  const repository = name === undefined ? before?.repository : withoutRegistry(site, name);
  if (repository === undefined) throw noPlace(site, "the name");
  const tag = newTag === undefined && digest === undefined ? before?.tag : (newTag ?? undefined);
  const pin = newTag === undefined && digest === undefined ? before?.digest : (digest ?? undefined);
  return (site.prefix ?? "") + writeReference({ repository, tag, digest: pin });
}

function withoutRegistry(site: ImageSite, name: string): string {
  const registry = textOf(site.registry) ?? "";
  if (registry === "") return name;
  if (name.startsWith(`${registry}/`)) return name.slice(registry.length + 1);
  throw noPlace(site, `a name outside of ${registry}`);
}

/** `tag:` and `tag: ""` say the same. */
function orEmpty(site: ImageSite, slot: Slot, value: string): Assignment[] {
  const isNull = isScalar(slot.node) && slot.node.value === null;
  return value === "" && (slot.node === null || isNull) ? [] : [assignment(site, slot, value)];
}

function assignment(site: ImageSite, slot: Slot, value: string): Assignment {
  if (slot === site.reference) return { slot, value, named: "value" };
  return site.name?.holder === slot.holder ? { slot, value, named: "map" } : { slot, value };
}

function digestText(slot: Slot, digest: string): string {
  return /^[0-9a-f]{64}$/.test(textOf(slot) ?? "") ? digest.replace("sha256:", "") : digest;
}

function insertDigest(site: ImageSite, { place, key }: { place: MapPlace; key: string }, digest: string): Step {
  const own = site.tag?.holder === place.map ? site.tag.pair : undefined;
  const simple = (pair: YamlPair): boolean => styleOf(pair.value) !== undefined;
  const after = own ?? place.map.items.findLast(simple);
  if (after === undefined) throw noPlace(site, "the digest");
  return insertValue(place, key, digest, after, keyOf(after));
}

function textOf(slot: Slot | undefined): string | undefined {
  return slot === undefined ? undefined : valueText(slot.node);
}

function noPlace(site: ImageSite, what: string): GitspanError {
  return refusal(
    site.at.source,
    "edit-unsupported",
    startOf(site.at.pair?.key ?? site.at.node),
    `no place for ${what} here`,
    {
      hint: "Report what the file can hold: with a tag for `tag`, with a digest for `digest`; or add the missing key by hand.",
    },
  );
}
