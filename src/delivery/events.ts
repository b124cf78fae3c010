import type { Caller } from "../model/access.ts";
import type { Build, BuildReport } from "../model/build.ts";
import { isGitspanError } from "../model/errors.ts";
import type { Accepted, AcceptRequest } from "./accept.ts";

/** What a CI system's event turned out to mean once it was checked; `subject` is who delivers. */
export type EventReading =
  | { kind: "build"; report: BuildReport; subject: string }
  /** `reason` is a word for programs, `detail` a sentence for the log. */
  | { kind: "ignored"; reason: string; detail: string };

export type EventResult =
  | { kind: "accepted" | "repeat"; build: Build }
  | { kind: "ignored"; reason: string; detail: string };

/**
 * Accepts the build that an event led to. One sink gets the events of a whole cluster, so a build that no target is for,
 * or whose subject may deliver nowhere, is ignored and no error. Other errors as in `accept.ts`.
 */
export async function takeReading(
  deps: { accept: (request: AcceptRequest) => Promise<Accepted> },
  input: { reading: EventReading; caller: Caller | undefined; traceparent: string | undefined },
): Promise<EventResult> {
  const { reading, traceparent } = input;
  if (reading.kind === "ignored") return reading;
  const report = traceparent === undefined ? reading.report : { ...reading.report, traceparent };
  try {
    const { kind, build } = await deps.accept({
      report,
      caller: input.caller ?? { subject: reading.subject, groups: [] },
    });
    return { kind, build };
  } catch (error) {
    if (isGitspanError(error, "no-target")) return { kind: "ignored", reason: "no-target", detail: error.message };
    if (isGitspanError(error, "forbidden")) return { kind: "ignored", reason: "forbidden", detail: error.message };
    throw error;
  }
}
