import type { ApplicationSnapshot } from "../model/application.ts";
import type { Delivery, NewEvent } from "../model/delivery.ts";
import { messageOf } from "../model/errors.ts";
import type { ApplicationObservation, RevisionFacts } from "../model/observation.ts";
import type { ArgoCd, Log } from "./ports.ts";

/** An operation of the version that is taken out gets so long to end by itself. */
const PATIENCE_MS = 30_000;

/**
 * Argo CD runs one operation at a time: one of the bad version, which may wait for a hook that never ends, keeps a
 * rollback from being applied (protocols.md section 7). Stops it, once; gives what is to be told of that.
 */
export async function stopObstruction(
  deps: { argocd: Pick<ArgoCd, "terminate">; log: Log },
  input: {
    delivery: Delivery;
    application: ApplicationObservation;
    snapshot: ApplicationSnapshot;
    revisions: ReadonlyMap<string, RevisionFacts>;
    sinceMs: number;
  },
  signal: AbortSignal,
): Promise<{ terminated?: string; event?: NewEvent }> {
  const { delivery, application, snapshot, revisions, sinceMs } = input;
  const { operation } = snapshot;
  const began = operation?.startedAt ?? "";
  if (delivery.kind !== "rollback" || operation?.phase !== "Running" || sinceMs < PATIENCE_MS) return {};
  if (application.terminated === began) return {};
  const named = operation.requestedRevisions.length > 0 ? operation.requestedRevisions : operation.revisions;
  if (named.length === 0 || !named.every((revision) => revisions.get(revision)?.covers === false)) return {};
  const name = `${application.ref.namespace}/${application.ref.name}`;
  try {
    await deps.argocd.terminate(application.ref, signal);
    return { terminated: began, event: { kind: "operation-terminated", message: `stopped the operation of ${name}` } };
  } catch (error) {
    signal.throwIfAborted();
    deps.log.warn("an operation that blocks a rollback could not be stopped", { application: application.ref, error });
    const message = `the running operation of ${name} blocks the rollback and could not be stopped: ${messageOf(error)}`;
    return { terminated: began, event: { kind: "warning", message } };
  }
}
