import type { Settings } from "../delivery/ports.ts";
import { ACTIONS, type Caller } from "../model/access.ts";

/** Who may do anything to a target may also see what is delivered there; nobody else. */
export function maySee(
  settings: Pick<Settings, "allows">,
  caller: Caller,
  target: { app: string; environment: string },
): boolean {
  const { app, environment } = target;
  return ACTIONS.some((action) => settings.allows(caller, { action, app, environment }));
}
