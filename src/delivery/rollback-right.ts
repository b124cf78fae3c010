import type { Delivery, Rollback } from "../model/delivery.ts";
import type { Settings } from "./ports.ts";

/** Whether whoever asked for the rollback may still do so (promise 8). */
export function mayRollBack(
  settings: Pick<Settings, "allows">,
  { app, environment }: Pick<Delivery, "app" | "environment">,
  { by }: Rollback,
): boolean {
  return by !== undefined && settings.allows(by, { action: "rollback", app, environment });
}
