import type { Caller } from "../model/access.ts";
import type { Ids } from "../model/ambient.ts";
import type { Delivery, Rollback } from "../model/delivery.ts";
import { GitspanError } from "../model/errors.ts";
import type { TargetState } from "../model/reading.ts";
import type { RollbackInput } from "../model/rollback.ts";
import { fieldsOf } from "./delivery-log.ts";
import { missingTarget, namesOf } from "./hold.ts";
import { holdsOn } from "./holds-on.ts";
import type { Log, Metrics, Settings } from "./ports.ts";
import type { ReadStore, RollbackStore } from "./store-ports.ts";
import { backToHealthy, type Undoing, valuesBefore, type Written } from "./undone.ts";
import { targetOf } from "./verify.ts";

export interface RollbackDeps {
  store: Pick<ReadStore, "targetStates" | "written"> & Pick<RollbackStore, "rollBack">;
  settings: () => Pick<Settings, "allows" | "target" | "undecided">;
  ids: Ids;
  log: Log;
  metrics: Pick<Metrics, "rollback">;
}

export interface RollbackRequest {
  caller: Caller;
  /** `app/environment` */
  targetId: string;
  why: string;
}

export interface StartedRollback {
  /** `repeat`: it was asked for before. */
  kind: "begun" | "repeat";
  delivery: Delivery;
}

/** So many landings of a target are looked through for the one to go back to. */
export const REMEMBERED = 200;
/** A target that changes between two readings again and again is written by somebody else right now. */
const MAX_READINGS = 5;

/**
 * A person takes a target back to its last healthy delivery; what is taken out is held. Asked again while that is under
 * way, or once it has landed, it is the same rollback. Errors: `not-found`, `forbidden`, `rollback-refused`.
 */
export async function startRollback(deps: RollbackDeps, request: RollbackRequest): Promise<StartedRollback> {
  const { caller, targetId, why } = request;
  if (deps.settings().target(targetId) === undefined) throw missingTarget(deps.settings(), targetId);
  if (!deps.settings().allows(caller, { action: "rollback", ...namesOf(targetId) })) {
    throw new GitspanError("forbidden", `${caller.subject} may not roll back ${targetId}`, {
      hint: "Add an access rule with the action `rollback` for this subject, app and environment.",
    });
  }
  const by = { subject: caller.subject, groups: [...caller.groups] };
  for (let reading = 0; reading < MAX_READINGS; reading++) {
    const state = (await deps.store.targetStates([targetId])).get(targetId);
    const written = await deps.store.written(targetId, REMEMBERED);
    const standing = written[0];
    if (state?.current === undefined || standing?.delivery.id !== state.current.delivery.id) {
      if (state?.current !== undefined) continue;
      throw refused(`nothing was delivered to ${targetId} yet`, "There is nothing to take back.");
    }
    if (standing.delivery.kind === "rollback") return repeated(standing.delivery);
    refuseUnfit(deps, state, standing.delivery);
    const undoing = backToHealthy(written, state.lastHealthyDeliveryId);
    if (undoing === undefined) {
      throw refused(
        `${targetId} has no earlier delivery that was healthy`,
        "Revert the commit by hand, or deliver a build that works.",
      );
    }
    const input = rollbackInput(deps, { state, written, undoing, reason: { trigger: "manual", by, why } });
    const result = await deps.store.rollBack(input);
    if (!("delivery" in result)) continue;
    const { delivery } = result;
    if (result.kind === "begun") deps.metrics.rollback("manual", "begun");
    deps.log.info("a rollback was asked for", { ...fieldsOf(delivery), subject: caller.subject, result: result.kind });
    return { kind: result.kind, delivery };
  }
  throw refused(`${targetId} is being changed right now`, "Look at what stands there, and ask again.");
}

/** Everything that is stored with a rollback. */
export function rollbackInput(
  deps: Pick<RollbackDeps, "ids"> & { settings: () => Pick<Settings, "target"> },
  input: {
    state: TargetState;
    written: readonly Written[];
    undoing: Undoing;
    reason: Pick<Rollback, "trigger" | "by" | "why" | "clusters">;
  },
): RollbackInput {
  const { state, written, undoing, reason } = input;
  const { undone, restores } = undoing;
  const standing = undone[0];
  if (standing === undefined) throw new Error(`a rollback of ${state.id} takes nothing out`);
  const id = deps.ids.uuid();
  const images = valuesBefore(written, undoing);
  const { app, environment, targetId, laneId, traceparent } = standing.delivery;
  return {
    delivery: {
      id,
      targetId,
      app,
      environment,
      laneId,
      buildId: (restores ?? standing).build.id,
      images,
      ...(traceparent === undefined ? {} : { traceparent }),
    },
    rollback: {
      ...reason,
      reverts: standing.delivery.id,
      undoes: undone.map(({ delivery }) => delivery.id),
      ...(restores === undefined ? {} : { restores: restores.delivery.id }),
    },
    expireAfterMs: deps.settings().target(targetId)?.policy.expireAfterMs ?? 0,
    targetVersion: state.version,
    holds: undone.flatMap((one) =>
      holdsOn(deps.ids, {
        targetId,
        images: one.delivery.images,
        buildId: one.build.id,
        kept: new Set(images.flatMap(({ digest }) => digest ?? [])),
        by: reason.by?.subject ?? "gitspan",
        why: `taken out by rollback ${id}: ${reason.why}`,
      }),
    ),
  };
}

/** Promise 7: no rollback of a rollback. Asked for the target that one has just brought back, it is that one. */
function repeated(delivery: Delivery): StartedRollback {
  if (delivery.phase !== "done") return { kind: "repeat", delivery };
  throw refused(
    `${delivery.targetId} stands on rollback ${delivery.id}, and a rollback is not rolled back`,
    "Deliver a build that works, or release the hold on the one that you want.",
  );
}

function refuseUnfit(deps: RollbackDeps, state: TargetState, standing: Delivery): void {
  if (state.pinned !== undefined) {
    throw refused(
      `${state.id} is pinned by ${state.pinned.by}: ${state.pinned.why}`,
      `Release it first: gitspan targets release ${state.id}`,
    );
  }
  if (state.overridden !== undefined) {
    throw refused(
      `somebody else's value stands at ${state.id} since ${state.overridden.commit}, and stays`,
      "Change the value in Git, or deliver a build.",
    );
  }
  if (targetOf(deps.settings(), standing) === undefined) {
    throw refused(`${state.id} is now written to another branch than its last delivery`, "Revert it there by hand.");
  }
}

function refused(message: string, hint: string): GitspanError {
  return new GitspanError("rollback-refused", message, { hint });
}
