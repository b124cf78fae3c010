import { isRepository } from "../model/image.ts";
import type { Place } from "../model/target.ts";
import type { DiscoveredPlace } from "../overlays/discover.ts";
import type { InitApplication } from "./init-applications.ts";
import { ANYWHERE, environmentIn, freeName } from "./init-words.ts";

/** An app as the configuration file has it. */
export interface InitApp {
  images: Record<string, string>;
  targets: Record<string, object>;
}

/** One app for what Applications of one name run together, and one for each image that none of them has. */
export function initialApps(
  places: readonly DiscoveredPlace[],
  applications: readonly InitApplication[],
): Record<string, InitApp> {
  const apps: Record<string, InitApp> = {};
  const slots = slotsOf(applications);
  for (const [base, own] of Map.groupBy(slots, ({ app }) => app)) addApps(apps, base, own);
  const covered = new Set(applications.flatMap((application) => [...application.places.keys()]));
  const others = places.filter(({ image }) => isRepository(image) && !covered.has(image));
  for (const [image, those] of Map.groupBy(others, (place) => place.image)) {
    const name = freeName((taken) => Object.hasOwn(apps, taken), image);
    const byEnvironment = Map.groupBy(those, ({ file }) => environmentIn(file) ?? ANYWHERE);
    // What a base says counts only where no overlay says it again.
    if (byEnvironment.size > 1) byEnvironment.delete(ANYWHERE);
    const targets = [...byEnvironment].map(
      ([environment, ones]) => [environment, formsOf(ones.map(({ place }) => place))] as const,
    );
    apps[name] = { images: { [name]: image }, targets: Object.fromEntries(targets) };
  }
  return apps;
}

/** One app in one environment, with everything that writes and runs it. */
interface Slot {
  app: string;
  environment: string;
  refs: Set<string>;
  places: Map<string, Place[]>;
}

/** Applications that have an image written at the same place are of one target: what is written there moves all of them. */
function slotsOf(applications: readonly InitApplication[]): Slot[] {
  const slots = new Map<string, Slot>();
  const owners = new Map<string, Slot>();
  for (const { app, environment, ref, places } of applications) {
    for (const [image, own] of places) {
      const keys = own.map((place) => JSON.stringify([image, { ...place, image }]));
      const name = `${app}/${environment}`;
      const owner = keys.map((key) => owners.get(key)).find((slot) => slot !== undefined);
      const slot = owner ?? slots.get(name) ?? { app, environment, refs: new Set(), places: new Map() };
      if (owner === undefined) slots.set(name, slot);
      slot.refs.add(ref);
      const free = own.filter((_, index) => owners.get(keys[index] ?? "") === undefined);
      for (const key of keys) if (!owners.has(key)) owners.set(key, slot);
      slot.places.set(image, [...(slot.places.get(image) ?? []), ...free]);
    }
  }
  return [...slots.values()];
}

/** Images that are in the same environments are one app; others have to be apart, or builds would miss a place. */
function addApps(apps: Record<string, InitApp>, base: string, slots: readonly Slot[]): void {
  const images = [...new Set(slots.flatMap(({ places }) => [...places.keys()]))].toSorted();
  const groups = Map.groupBy(images, (image) =>
    slots.flatMap(({ environment, places }) => (places.has(image) ? [environment] : [])).join(),
  );
  const isTaken = (name: string): boolean => Object.hasOwn(apps, name);
  for (const group of [...groups.values()].toSorted((a, b) => b.length - a.length)) {
    const name = isTaken(base) ? freeName(isTaken, `${base}-${group[0]?.split("/").at(-1)}`) : base;
    const names: Record<string, string> = {};
    for (const image of group) names[freeName((taken) => Object.hasOwn(names, taken), image)] = image;
    const targets = slots
      .filter(({ places }) => places.has(group[0] ?? ""))
      .map((slot) => [slot.environment, targetOf(slot, names)] as const);
    apps[name] = { images: names, targets: Object.fromEntries(targets) };
  }
}

function targetOf({ places, refs }: Slot, names: Record<string, string>): object {
  const own = Object.entries(names).map(([name, image]) => ({ name, places: places.get(image) ?? [] }));
  const forms = own.map((one) => JSON.stringify(one.places.map(formOf)));
  const applications = [...refs].toSorted().map((ref) => `main/${ref}`);
  const [first] = own;
  const isOneFolder = new Set(forms).size === 1 && first?.places.every(({ format }) => format === "kustomize") === true;
  if (own.length === 1 || isOneFolder) return { ...formsOf(first?.places ?? []), applications };
  const files = own.flatMap((one) => one.places.map((place) => ({ ...formOf(place), image: one.name })));
  return { files, applications };
}

function formsOf(places: readonly Place[]): object {
  const forms = places.map(formOf);
  const [only, second] = forms;
  const isShort =
    second === undefined &&
    only !== undefined &&
    Object.keys(only).every((key) => key === "kustomize" || key === "helm");
  return isShort ? only : { files: forms };
}

function formOf(place: Place): object {
  if (place.format === "kustomize") return { kustomize: place.directory === "" ? "." : place.directory };
  return { [place.format]: place.file, ...(place.at === undefined ? {} : { at: place.at }) };
}
