import type { Settings } from "../delivery/ports.ts";
import type { Caller } from "../model/access.ts";

/** Who may deliver to a target may also see what is delivered there; nobody else but those who may read. */
export function maySee(
  settings: Pick<Settings, "allows">,
  caller: Caller,
  target: { app: string; environment: string },
): boolean {
  const { app, environment } = target;
  return (
    settings.allows(caller, { action: "read", app, environment }) ||
    settings.allows(caller, { action: "deliver", app, environment })
  );
}
