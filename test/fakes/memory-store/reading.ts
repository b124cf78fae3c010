import type { Build } from "../../../src/model/build.ts";
import type { Delivery } from "../../../src/model/delivery.ts";
import { GitspanError } from "../../../src/model/errors.ts";
import type { Hold } from "../../../src/model/hold.ts";
import type { DeliveryCount, DeliveryFilter, FeedPage, Page, TargetState } from "../../../src/model/reading.ts";
import { byAge, type MemoryState } from "./state.ts";

export function deliveries(state: MemoryState, filter: DeliveryFilter): Page<Delivery> {
  const after = filter.cursor === undefined ? undefined : parseCursor(filter.cursor);
  const found = state
    .inOrder((delivery) => matches(delivery, filter) && (after === undefined || byAge(delivery, after) < 0))
    .map(({ value }) => value)
    .reverse();
  const items = structuredClone(found.slice(0, Math.max(1, filter.limit)));
  const last = items.at(-1);
  if (found.length <= items.length || last === undefined) return { items };
  return { items, next: Buffer.from(JSON.stringify([last.createdAt, last.id])).toString("base64url") };
}

export function written(state: MemoryState, targetId: string, limit: number): { delivery: Delivery; build: Build }[] {
  const landed = ({ observation }: Delivery) => observation?.pushedAt ?? 0;
  const found = [...state.deliveries.values()]
    .map(({ value }) => value)
    .filter((delivery) => delivery.targetId === targetId && delivery.commit !== undefined)
    .sort((a, b) => landed(b) - landed(a) || (a.id < b.id ? 1 : -1))
    .slice(0, limit);
  return structuredClone(found.map((delivery) => ({ delivery, build: state.build(delivery.buildId) })));
}

function matches(delivery: Delivery, filter: DeliveryFilter): boolean {
  const { image } = filter;
  return (
    (filter.app ?? delivery.app) === delivery.app &&
    (filter.environment ?? delivery.environment) === delivery.environment &&
    (filter.outcome === undefined || filter.outcome === delivery.outcome) &&
    (filter.phase ?? delivery.phase) === delivery.phase &&
    (filter.commit === undefined || filter.commit === delivery.commit) &&
    (filter.buildId ?? delivery.buildId) === delivery.buildId &&
    (image === undefined || delivery.images.some((one) => [one.repository, one.tag, one.digest].includes(image)))
  );
}

function parseCursor(text: string): { createdAt: number; id: string } {
  try {
    const [createdAt, id] = JSON.parse(Buffer.from(text, "base64url").toString()) as unknown[];
    if (typeof createdAt === "number" && typeof id === "string") return { createdAt, id };
  } catch {
    // as for any other text that is no cursor
  }
  throw new GitspanError("bad-request", "the cursor is not one that this server gave");
}

export function targetState(state: MemoryState, id: string): TargetState | undefined {
  const target = state.targets.get(id);
  if (target === undefined) return undefined;
  const { currentId, ...rest } = target;
  const delivery = currentId === undefined ? undefined : state.deliveries.get(currentId)?.value;
  if (delivery === undefined) return structuredClone(rest);
  return structuredClone({ ...rest, current: { delivery, build: state.build(delivery.buildId) } });
}

/** In force now, oldest first. */
export function holds(state: MemoryState, targetIds: readonly string[]): Hold[] {
  return structuredClone(
    [...state.holds.values()]
      .filter((hold) => targetIds.includes(hold.targetId) && (hold.until === undefined || hold.until > state.now()))
      .sort(byAge),
  );
}

export function eventsAfter(state: MemoryState, after: number | undefined, limit: number): FeedPage {
  const highest = state.events.at(-1)?.id ?? 0;
  if (after === undefined || after > highest) return { items: [], last: highest };
  const items = state.events.slice(after, after + limit).map((event) => {
    const delivery = state.deliveries.get(event.deliveryId)?.value;
    if (delivery === undefined) throw new Error(`no delivery ${event.deliveryId}`);
    return structuredClone({ ...event, delivery });
  });
  return { items, last: items.at(-1)?.id ?? after };
}

export function countDeliveries(state: MemoryState): DeliveryCount[] {
  const groups = Map.groupBy(
    state.inOrder(() => true),
    ({ value }) => JSON.stringify([value.phase, value.outcome]),
  );
  return [...groups.values()].flatMap((group): DeliveryCount[] => {
    const [oldest] = group;
    if (oldest === undefined) return [];
    const { phase, outcome, createdAt } = oldest.value;
    const count = group.length;
    return [outcome === undefined ? { phase, count, oldestMs: state.now() - createdAt } : { phase, outcome, count }];
  });
}
