import type { FastifyInstance } from "fastify";
import type { Caller } from "../../model/access.ts";
import type { Delivery } from "../../model/delivery.ts";
import { GitspanError } from "../../model/errors.ts";
import type { DeliveryFilter, Page } from "../../model/reading.ts";
import type { HttpDeps } from "../deps.ts";
import { idOf } from "../ids.ts";
import { parseWith } from "../parse.ts";
import { deliveriesQuery, noQuery } from "../queries.ts";
import { callerOf } from "../request-context.ts";
import { deliveryDetailShape, deliveryShape } from "../shapes.ts";
import { maySee } from "../visibility.ts";

/** Pages that are read for one answer when most of what they hold may not be seen. */
const MAX_READS = 20;

export function deliveryRoutes(app: FastifyInstance, deps: HttpDeps): void {
  app.route({
    method: "GET",
    url: "/v1/deliveries",
    handler: async (request) => {
      const { build, ...query } = parseWith(deliveriesQuery, request.query, "the query");
      const page = await visiblePage(deps, callerOf(request), { ...query, ...(build ? { buildId: build } : {}) });
      return { items: page.items.map(deliveryShape), next: page.next };
    },
  });

  app.route<{ Params: { id: string } }>({
    method: "GET",
    url: "/v1/deliveries/:id",
    handler: async (request) => {
      const caller = callerOf(request);
      parseWith(noQuery, request.query, "the query");
      const id = idOf(request.params.id, "delivery");
      const delivery = await deps.store.delivery(id);
      if (delivery === undefined || !maySee(deps.settings(), caller, delivery)) {
        throw new GitspanError("not-found", "there is no such delivery");
      }
      return deliveryDetailShape(delivery, await deps.store.events(id));
    },
  });
}

/** A page of what the caller may see; it may be short and still have a next one. */
async function visiblePage(deps: HttpDeps, caller: Caller, filter: DeliveryFilter): Promise<Page<Delivery>> {
  const settings = deps.settings();
  const items: Delivery[] = [];
  let { cursor } = filter;
  for (let reads = 0; reads < MAX_READS; reads++) {
    // Never more than still fit: the store's cursor stands behind the last one it gave.
    const page = await deps.store.deliveries({ ...filter, cursor, limit: filter.limit - items.length });
    items.push(...page.items.filter((delivery) => maySee(settings, caller, delivery)));
    cursor = page.next;
    if (cursor === undefined || items.length >= filter.limit) break;
  }
  return cursor === undefined ? { items } : { items, next: cursor };
}
