import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Ids } from "../model/ambient.ts";
import { GitspanError } from "../model/errors.ts";
import { PROBLEM_TYPE, problemOf } from "./problem.ts";

/** Statuses of HTTP itself that no error code has: RFC 6585 section 5 and RFC 9110 section 15.5.9. */
const TRANSPORT: Readonly<Record<string, { status: number; error: GitspanError }>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    error: new GitspanError("payload-too-large", "the request's headers are larger than 16 KiB"),
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    error: new GitspanError("timed-out", "the request did not arrive in time"),
  },
};
const MALFORMED = { status: 400, error: new GitspanError("bad-request", "the request is not valid HTTP/1.1") };

/** Answers what never became a request. The connection is closed: where the next request starts is not known. */
export function replyToBrokenRequest(ids: Ids, thrown: Error & { code?: string }, socket: Socket): void {
  if (thrown.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, error } = TRANSPORT[thrown.code ?? ""] ?? MALFORMED;
  const requestId = ids.uuid();
  const title = STATUS_CODES[status] ?? "";
  // A server error's words are hidden by `problemOf`; these are about the caller's own bytes.
  const problem = { ...problemOf(error, { instance: "", requestId }), status, title, detail: error.message };
  const body = JSON.stringify(problem);
  socket.end(
    [
      `HTTP/1.1 ${status} ${title}`,
      `Content-Type: ${PROBLEM_TYPE}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${requestId}`,
      "Connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}
