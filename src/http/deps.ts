import type { Preview, PreviewRequest } from "../delivery/plan-preview.ts";
import type { Log, Metrics, Settings } from "../delivery/ports.ts";
import type { HoldStore, ReadStore, RollbackStore, TokenStore, WorkStore } from "../delivery/store-ports.ts";
import type { Clock, Ids } from "../model/ambient.ts";
import type { RefusalReason } from "../model/refusal.ts";
import type { Bearers } from "./bearers.ts";
import type { EventDeps } from "./event-source.ts";
import type { Intake } from "./intake.ts";

/** One thing that has to be in order before the bridge can do its work. */
export interface Readiness {
  name: string;
  ok: boolean;
  /** Shown to anybody with `/readyz?verbose`: no secrets. */
  detail: string;
  /** It should be put right, but the bridge does its work: it does not count for readiness. */
  advisory?: true;
}

/** All of them are counted in each replica by itself. */
interface HttpLimits {
  /** `POST /v1/builds` per subject and minute; default 300. */
  buildsPerMinute?: number | undefined;
  /** Bytes of one build report; default 256 KiB. */
  buildBytes?: number | undefined;
  /** Wrong tokens and signatures per address and minute; default 60. */
  failedLoginsPerMinute?: number | undefined;
  /** Events of CI systems per sender and minute; default 6,000. */
  eventsPerMinute?: number | undefined;
  /** Open event streams; default 100. */
  streams?: number | undefined;
}

/** What is counted of requests; implementations must not throw. */
interface HttpMetrics {
  /** `route` is the pattern (`/v1/builds/:id`), `unknown` for anything else. */
  request(request: { route: string; method: string; status: number; seconds: number }): void;
  rollback: Metrics["rollback"];
  /** A caller, or what a caller asked for, was refused for lack of proof or of a right. */
  refused(reason: RefusalReason): void;
  /** Event streams that are open now. */
  streams(open: number): void;
}

/** Works out what a build would change, and writes nothing. */
export interface Plans {
  preview(request: PreviewRequest, signal: AbortSignal): Promise<Preview>;
}

export interface HttpDeps {
  intake: Intake;
  plans: Plans;
  store: Pick<ReadStore, "build" | "delivery" | "deliveries" | "events" | "waitForChange" | "eventsAfter"> &
    Pick<TokenStore, "tokenByHash"> &
    Pick<ReadStore, "targetStates" | "targetIds" | "holds" | "written"> &
    Pick<WorkStore, "now" | "pending"> &
    HoldStore &
    Pick<RollbackStore, "rollBack">;
  /** The secrets that are valid now for a key of signed requests; none when there is no such key. */
  signatureSecrets: (key: string) => Promise<readonly string[]>;
  /** Tokens that others have made; absent: none are known. */
  bearers?: Bearers;
  /** The configuration in force now. */
  settings: () => Pick<Settings, "allows" | "target" | "targets" | "undecided" | "refused">;
  log: Log;
  metrics: HttpMetrics;
  clock: Clock;
  ids: Ids;
  version: string;
  shuttingDown: () => boolean;
  ready: () => Promise<readonly Readiness[]>;
  limits?: HttpLimits;
  /** Addresses and ranges whose X-Forwarded-For is believed; none: the address is that of the connection. */
  trustedProxies?: readonly string[];
  /** Events of CI systems; absent: none are taken. */
  events?: EventDeps;
}
