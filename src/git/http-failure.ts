import { GitspanError } from "../model/errors.ts";
import type { HttpAnswer } from "./transport.ts";

/**
 * What an HTTP status other than 200 means for reading.
 * @param now milliseconds since the epoch, for a Retry-After that names a date
 */
export function failureOf(answer: HttpAnswer, url: string, now: number): GitspanError {
  const { status } = answer;
  const said = wordsOf(answer);
  const told = said === "" ? "" : ` (${said})`;
  if (status === 401) {
    return new GitspanError("git-auth", `${url} does not accept the credentials${told}`, {
      hint: "check the user name and the token, and that the token has not expired",
    });
  }
  if (status === 403) {
    return new GitspanError("git-auth", `${url} does not permit this${told}`, {
      hint: "give the account access to the repository",
    });
  }
  if (status === 407) {
    return new GitspanError("git-auth", `the proxy on the way to ${url} does not accept the credentials${told}`, {
      hint: "check the user name and the password in the proxy's URL",
    });
  }
  if (status === 404 || status === 410) {
    return new GitspanError("git-not-found", `${url} does not exist, or not for this account${told}`, {
      hint: "check the URL; many servers also answer so when the account may not see the repository",
    });
  }
  if (status === 408 || status === 429 || status >= 500) {
    return new GitspanError("git-unreachable", `${url} answers ${status}${told}`, {
      hint: "wait; look at the server's state if it lasts",
      transient: true,
      retryAfterMs: retryAfterOf(answer, now),
    });
  }
  if (status >= 300 && status < 400) {
    return new GitspanError("git-protocol", `${url} redirects to ${placeOf(answer.headers["location"])}`, {
      hint: "redirects to other places are not followed: configure the repository's own URL",
    });
  }
  return new GitspanError("git-protocol", `${url} answers ${status}${told}`, {
    hint: "check that the URL is that of a Git repository",
  });
}

/** Milliseconds to wait, if the server says (RFC 9110 section 10.2.3: seconds or a date). */
export function retryAfterOf(answer: HttpAnswer, now: number): number | undefined {
  const value = answer.headers["retry-after"];
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** The first words of a plain text answer; pages for browsers say nothing useful. */
export function wordsOf(answer: HttpAnswer): string {
  if (!(answer.headers["content-type"] ?? "").startsWith("text/plain")) return "";
  const line = answer.body.toString("utf8", 0, 1000).trim().split("\n")[0] ?? "";
  return line.replaceAll(/[^\x20-\x7e\u00a0-\uffff]/g, "").slice(0, 200);
}

/** Where a redirect leads, without user name, password and query. */
function placeOf(location: string | undefined): string {
  if (location === undefined) return "nowhere";
  if (!URL.canParse(location)) return location.split("?")[0] ?? "";
  const { origin, pathname } = new URL(location);
  return origin + pathname;
}
