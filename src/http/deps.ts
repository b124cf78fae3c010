import type { Log, Settings } from "../delivery/ports.ts";
import type { ReadStore, TokenStore } from "../delivery/store-ports.ts";
import type { Clock, Ids } from "../model/ambient.ts";
import type { Intake } from "./intake.ts";

/** One thing that has to be in order before the bridge can do its work. */
export interface Readiness {
  name: string;
  ok: boolean;
  /** Shown to anybody with `/readyz?verbose`: no secrets. */
  detail: string;
}

interface HttpLimits {
  /** `POST /v1/builds` per subject and minute, counted in each replica; default 300. */
  buildsPerMinute?: number;
}

export interface HttpDeps {
  intake: Intake;
  store: Pick<ReadStore, "build" | "delivery" | "deliveries" | "events" | "waitForChange"> &
    Pick<TokenStore, "tokenByHash">;
  /** The configuration in force now. */
  settings: () => Pick<Settings, "allows">;
  log: Log;
  clock: Clock;
  ids: Ids;
  version: string;
  shuttingDown: () => boolean;
  ready: () => Promise<readonly Readiness[]>;
  limits?: HttpLimits;
}
