import { type Alias, isAlias, type Node } from "yaml";
import type { Plan } from "./carry-out.ts";
import { aliasesOf, anchorOf, targetOf } from "./nodes.ts";
import { type Slot, shared, startOf } from "./place.ts";
import { positionAt, refusal } from "./source.ts";
import { type Step, setSlot } from "./steps.ts";
import { walk } from "./walk.ts";

/** "This value is to stand here." */
export interface Assignment {
  slot: Slot;
  value: string;
  /** What says which image the value is for: the value itself, or the map that it is in; absent: neither does. */
  named?: "value" | "map";
}

/**
 * Sets values at exactly these slots. A value that aliases show elsewhere moves there too, with a warning that says
 * where; one that is itself an alias is refused (`edit-shared-value`): its text stands somewhere that was not named.
 */
export function assignNamed(assignments: readonly Assignment[]): Plan {
  const steps: Step[] = [];
  const warnings: string[] = [];
  for (const { slot, value } of assignments) {
    const step = setSlot(slot, value, { shared: true });
    if (step === undefined) continue;
    steps.push(step);
    warnings.push(...warningOf(step), ...sharedWarning(slot, [...usesOf(slot, slot.node), ...usesAbove(slot)]));
  }
  return { steps, warnings };
}

/**
 * Sets the values of one image wherever it is written. A shared value moves only when every place that shows it is one
 * of these, or shows the whole image with it; `edit-shared-value` otherwise.
 */
export function assignEverywhere(assignments: readonly Assignment[]): Plan {
  const steps: Step[] = [];
  const warnings: string[] = [];
  for (const [node, group] of grouped(assignments)) {
    const direct = group.find(({ slot }) => !isAlias(slot.node)) ?? group[0];
    if (direct === undefined) continue;
    const other = group.find(({ value }) => value !== direct.value);
    if (other !== undefined) {
      throw refusal(other.slot.source, "edit-ambiguous", startOf(other.slot.node), "another value is asked for here", {
        hint: "The value is shared with a place that is to have another one: write it out.",
      });
    }
    const uses = usesOf(direct.slot, node);
    const above = usesAbove(direct.slot);
    const step = setSlot(direct.slot, direct.value, { shared: true });
    if (step === undefined) continue;
    const isUnknown = (alias: Alias): boolean => group.every(({ slot }) => slot.node !== alias);
    const stranger = (direct.named === "value" ? undefined : uses.find(isUnknown)) ?? above.find(mayShowOther(direct));
    if (stranger !== undefined)
      throw shared(direct.slot, stranger, "this would change along, and is not known to be the same image");
    steps.push(step);
    warnings.push(...warningOf(step), ...sharedWarning(direct.slot, [...uses, ...above]));
  }
  return { steps, warnings };
}

/** By the node that holds the text. Values that are empty have none and stand for themselves. */
function grouped(assignments: readonly Assignment[]): Map<unknown, Assignment[]> {
  const groups = new Map<unknown, Assignment[]>();
  for (const assignment of assignments) {
    const { slot } = assignment;
    const node = isAlias(slot.node) ? targetOf(slot.node) : slot.node;
    const key = node ?? slot.pair ?? slot;
    groups.set(key, [...(groups.get(key) ?? []), assignment]);
  }
  return groups;
}

function usesOf(slot: Slot, node: unknown): Alias[] {
  const document = slot.source.documents[slot.document];
  if (document === undefined || anchorOf(node) === undefined) return [];
  return [...aliasesOf(document)].filter(([, target]) => target === node).map(([alias]) => alias);
}

function warningOf(step: Step): string[] {
  return step.warning === undefined ? [] : [step.warning];
}

function usesAbove(slot: Slot): Alias[] {
  return slot.chain.flatMap((node) => usesOf(slot, node));
}

/**
 * Which aliases of what is around a value may show it with the name of another image: any, where the name is elsewhere;
 * those that merge (`<<`) the map of name and value, as the map that they are in may have a name of its own.
 */
function mayShowOther({ slot, named }: Assignment): (alias: Alias) => boolean {
  if (named === undefined) return () => true;
  if (named === "value") return () => false;
  const merged = new Set<Node | null>(
    walk(slot.source, slot.document).slots.flatMap(({ node, path }) => (path.includes("<<") ? [node] : [])),
  );
  return (alias) => targetOf(alias) === slot.holder && merged.has(alias);
}

function sharedWarning({ source, path }: Slot, aliases: readonly Alias[]): string[] {
  if (aliases.length === 0) return [];
  const lines = new Set(aliases.map((alias) => positionAt(source, startOf(alias)).line));
  const names = new Set(aliases.map((alias) => `*${alias.source}`));
  const where = `${lines.size === 1 ? "line" : "lines"} ${[...lines].join(", ")}`;
  return [`${source.file}: ${path.at(-1)} changes in ${where} too, by ${[...names].join(", ")}`];
}
