import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Clock } from "../model/ambient.ts";
import { GitspanError } from "../model/errors.ts";
import { withDeadline } from "./deadline.ts";

/** A reader that takes nothing for so long is cut off; it resumes where it was. */
const STALLED_MS = 10_000;

/** One event in the form of https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function formatEvent(event: { id: number; name: string; data: unknown }): string {
  // JSON has no line breaks of its own, so the data is one line.
  return `id: ${event.id}\nevent: ${event.name}\ndata: ${JSON.stringify(event.data)}\n\n`;
}

/** Moves the reader's Last-Event-ID without an event: where it resumes after much that it may not see. */
export function formatPosition(id: number): string {
  return `: heartbeat\nid: ${id}\n\n`;
}

/**
 * Writes and waits until the reader has taken it, so that no more than one text lies in memory for it. Throws
 * `timed-out` when the reader has stalled, and the signal's reason when that aborts.
 */
export async function writeSlowly(
  deps: { clock: Clock },
  response: ServerResponse,
  text: string,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (response.write(text)) return;
  const late = (): GitspanError => new GitspanError("timed-out", "the reader of an event stream has stalled");
  await withDeadline(deps.clock, { ms: STALLED_MS, late }, (deadline) =>
    once(response, "drain", { signal: AbortSignal.any([signal, deadline]) }),
  );
}
