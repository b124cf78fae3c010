import type { Caller, Permission } from "../model/access.ts";
import type { Ids } from "../model/ambient.ts";
import { GitspanError } from "../model/errors.ts";
import { type Hold, heldBy } from "../model/hold.ts";
import type { Digest } from "../model/image.ts";
import type { Log, Settings } from "./ports.ts";
import type { HoldStore, WorkStore } from "./store-ports.ts";

export interface HoldDeps {
  store: HoldStore & Pick<WorkStore, "now" | "pending">;
  settings: () => Pick<Settings, "allows" | "target" | "undecided">;
  ids: Ids;
  log: Log;
}

export interface HoldRequest {
  caller: Caller;
  /** `app/environment` */
  targetId: string;
  /** Absent: everything is held. */
  digest?: Digest;
  why: string;
  /** Milliseconds since the epoch, by the database's clock. */
  until?: number;
}

export interface PlacedHold {
  hold: Hold;
  /** A push that began before it has such a value: it may still land. */
  alreadyBeingPushed: boolean;
}

/** Keeps a digest, or anything, from being written to a target. Errors: `not-found`, `forbidden`, `bad-request`. */
export async function placeHold(deps: HoldDeps, request: HoldRequest): Promise<PlacedHold> {
  const { caller, targetId, digest, why, until } = request;
  if (deps.settings().target(targetId) === undefined) throw missingTarget(deps.settings(), targetId);
  allowed(deps, caller, targetId);
  if (until !== undefined && until <= (await deps.store.now())) {
    throw new GitspanError("bad-request", "until is not in the future", {
      hint: "Leave it out to hold until removed.",
    });
  }
  const hold = await deps.store.createHold({
    id: deps.ids.uuid(),
    targetId,
    by: caller.subject,
    why,
    ...(digest === undefined ? {} : { digest }),
    ...(until === undefined ? {} : { until }),
  });
  deps.log.info("hold created", { hold: hold.id, target: targetId, digest, subject: caller.subject });
  // Whatever is not in phase writing by now meets the hold when it wants to begin.
  const writing = (await deps.store.pending(targetId)).filter(({ delivery }) => delivery.phase === "writing");
  const alreadyBeingPushed = writing.some(({ delivery }) => heldBy([hold], delivery, hold.createdAt) !== undefined);
  return { hold, alreadyBeingPushed };
}

/** Waiting deliveries go on if nothing else keeps them. Errors: `not-found`, `forbidden`. */
export async function removeHold(deps: HoldDeps, request: { caller: Caller; hold: Hold }): Promise<void> {
  const { caller, hold } = request;
  allowed(deps, caller, hold.targetId);
  if (!(await deps.store.removeHold(hold.id))) throw new GitspanError("not-found", "there is no such hold");
  deps.log.info("hold removed", { hold: hold.id, target: hold.targetId, subject: caller.subject });
}

/** Takes the pin off a target; false when it had none. Errors: `forbidden`. */
export async function releaseTarget(deps: HoldDeps, request: { caller: Caller; targetId: string }): Promise<boolean> {
  const { caller, targetId } = request;
  allowed(deps, caller, targetId);
  const released = await deps.store.unpin(targetId);
  if (released) deps.log.info("target released", { target: targetId, subject: caller.subject });
  return released;
}

/** The two names of a target's id; what is no id has empty ones, which no rule allows. */
export function namesOf(targetId: string): Pick<Permission, "app" | "environment"> {
  const [app = "", environment = ""] = targetId.split("/");
  return { app, environment };
}

function allowed(deps: HoldDeps, caller: Caller, targetId: string): void {
  if (deps.settings().allows(caller, { action: "hold", ...namesOf(targetId) })) return;
  throw new GitspanError("forbidden", `${caller.subject} may not hold or release ${targetId}`, {
    hint: "Add an access rule with the action `hold` for this subject, app and environment.",
  });
}

/** For those who may know: there is none, or nobody can say yet. */
export function missingTarget(settings: Pick<Settings, "undecided">, targetId: string): GitspanError {
  const undecided = settings.undecided(targetId);
  return undecided === undefined
    ? noTarget(targetId)
    : new GitspanError("targets-unknown", undecided, { transient: true });
}

export function noTarget(targetId: string): GitspanError {
  return new GitspanError("not-found", `there is no target ${targetId}`, {
    hint: "Targets are named app/environment.",
  });
}
