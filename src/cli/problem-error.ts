import { type ErrorCode, GitspanError } from "../model/errors.ts";
import { isErrorCode } from "./exit-codes.ts";

/** Statuses that pass by themselves: RFC 9110 sections 15.5.9 and 15.6.3 to 15.6.5, RFC 6585 section 4. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** The error that an RFC 9457 problem describes, or that a status means when something in between answered. */
export function problemError(status: number, body: unknown, retryAfterMs: number | undefined): GitspanError {
  const code = member(body, "code");
  const detail = member(body, "detail");
  const hint = member(body, "hint");
  const message = typeof detail === "string" ? detail : `the server answered with status ${status}`;
  return new GitspanError(isErrorCode(code) ? code : codeOf(status), message + fieldLines(body), {
    hint: typeof hint === "string" ? hint : undefined,
    // The Tasks beside the one that reports have not all ended.
    transient: PASSING.has(status) || code === "run-not-ready",
    retryAfterMs,
  });
}

/** One line per wrong field, when there are several: the first is in the detail already. */
function fieldLines(body: unknown): string {
  const errors = member(body, "errors");
  if (!Array.isArray(errors) || errors.length < 2) return "";
  return errors
    .map((error: unknown) => `\n  ${String(member(error, "path"))}: ${String(member(error, "message"))}`)
    .join("");
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return "unauthenticated";
  if (status === 403) return "forbidden";
  if (status === 404) return "not-found";
  if (status === 429) return "rate-limited";
  if (PASSING.has(status)) return "unreachable";
  return status >= 500 ? "internal" : "bad-request";
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
