import type { PushResult } from "../model/git.ts";
import { retryAfterOf, wordsOf } from "./http-failure.ts";
import type { HttpAnswer } from "./transport.ts";

/** Statuses that a server or a proxy gives before anything is done with a push, and those after which one cannot know. */
export function resultOfStatus(answer: HttpAnswer, now: number): PushResult {
  const { status } = answer;
  const said = wordsOf(answer);
  const message = `the server answers ${status}${said === "" ? "" : `: ${said}`}`;
  const wait = retryAfterOf(answer, now);
  if (status === 401 || status === 403 || status === 407) return { kind: "refused", reason: "auth", message };
  if (status === 404 || status === 410) return { kind: "refused", reason: "not-found", message };
  if (status === 413) return { kind: "refused", reason: "too-large", message };
  if (status === 429) return { kind: "unavailable", message, ...waitOf(wait) };
  // A proxy also answers 503 when the server behind it breaks off; only one that names a time to come back has kept the
  // request to itself.
  if (status === 503 && wait !== undefined) return { kind: "unavailable", message, ...waitOf(wait) };
  if (status === 408 || status >= 500 || status < 300) return { kind: "unclear", message };
  return { kind: "refused", reason: "other", message };
}

export function waitOf(retryAfterMs: number | undefined): { retryAfterMs?: number } {
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}
