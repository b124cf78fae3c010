import type { Delivery, Rollback } from "../model/delivery.ts";
import type { Settings } from "./ports.ts";

/**
 * Whether the rollback may be done still (promise 8): by whoever asked for it, by the environment's policy, or by the
 * hold, which somebody who was allowed to has placed.
 */
export function mayRollBack(
  settings: Pick<Settings, "allows" | "target">,
  { app, environment, targetId }: Delivery,
  { by, trigger }: Rollback,
): boolean {
  switch (trigger) {
    case "manual":
      return by !== undefined && settings.allows(by, { action: "rollback", app, environment });
    case "automatic":
      return settings.target(targetId)?.policy.rollback === "automatic";
    case "hold":
      return true;
  }
}
