import type { Clock } from "../model/ambient.ts";
import type { BuildReport } from "../model/build.ts";
import { GitspanError } from "../model/errors.ts";
import type { RunReader } from "./api.ts";
import { type EventState, type Headers, parseCloudEvent, type TektonEvent } from "./cloud-event.ts";
import { type Nothing, nothing, refuseState, reportOf } from "./report.ts";
import { readRun, type TektonRun } from "./run.ts";

/** `subject` is who delivers, as access rules name it: `tekton:main/shop-ci`. */
export type EventReading = { kind: "build"; report: BuildReport; subject: string } | Nothing;

export interface SentEvent {
  headers: Headers;
  body: unknown;
}

/**
 * What an event leads to. With a reader the event is only a hint: the run is read again, has to be the same one and
 * successful there. Errors: `bad-request`, `kubernetes-unavailable`, `kubernetes-forbidden`.
 */
export async function readEvent(
  deps: { clock: Clock; reader: RunReader | undefined },
  input: SentEvent & { cluster: string; namespaces: readonly string[]; runUrl: string | undefined },
  signal: AbortSignal,
): Promise<EventReading> {
  const { cluster, namespaces, runUrl } = input;
  const event = parseCloudEvent(input);
  if (event === undefined) return nothing("other-event", "the event is not one of Tekton's runs");
  const { kind, namespace, name, uid } = event;
  if (kind === "CustomRun") return nothing("custom-run", "custom runs build nothing that is known here");
  const hint = { ...readRun(kind, event.object), namespace, name };
  const uninteresting = refuseHint(event, hint);
  if (uninteresting !== undefined) return uninteresting;
  if (namespaces.length > 0 && !namespaces.includes(namespace)) {
    return nothing("namespace-not-allowed", `tekton.${cluster} takes no runs of the namespace ${namespace}`);
  }
  if (uid === "") throw new GitspanError("bad-request", "the run has no metadata.uid");
  let run: TektonRun = hint;
  if (deps.reader !== undefined) {
    const object = await deps.reader.read({ kind, namespace, name }, signal);
    // Pruned, or never there: nothing can be proved any more, and sending it again will not help.
    if (object === undefined) return nothing("run-gone", "the run is not there any more");
    run = readRun(kind, object);
    if (run.uid !== uid) return nothing("uid-mismatch", "another run has this name now");
  }
  const reading = reportOf(run, { cluster, runUrl, now: deps.clock.now() });
  return reading.kind === "ignored" ? reading : { ...reading, subject: `tekton:${cluster}/${namespace}` };
}

/** What needs no look at the cluster: a hint can only make us look, never make us believe. */
function refuseHint(event: TektonEvent, hint: TektonRun): Nothing | undefined {
  switch (event.state) {
    case "successful":
      if (hint.parent === undefined) return undefined;
      return nothing("part-of-pipeline-run", `the end of the PipelineRun ${hint.parent} counts, not that of its parts`);
    case "failed":
      return refuseState(hint.state, hint.reason) ?? nothing("failed", "the event says that the run failed");
    default:
      return nothing("not-finished", `the run is ${wordOf(event.state)}`);
  }
}

function wordOf(state: EventState): string {
  return state === "unknown" ? "on its way" : state;
}
