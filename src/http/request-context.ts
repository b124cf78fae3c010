import type { IncomingMessage } from "node:http";
import type { FastifyRequest } from "fastify";
import type { Ids } from "../model/ambient.ts";
import { GitspanError } from "../model/errors.ts";
import type { Bearer } from "./bearers.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set once the token was checked. */
    caller: Bearer | null;
    /** Hexadecimal SHA-256 of the body as it came. */
    bodyHash: string;
  }
}

const REQUEST_ID = /^[\w.:=+/-]{1,128}$/;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;
// W3C Trace Context level 2: later versions may be longer; all-zero ids and version ff are invalid.
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]{0,64})?$/;

/** The caller's X-Request-Id if it is harmless, else a new one. */
export function requestIdOf(ids: Ids, request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && REQUEST_ID.test(given) ? given : ids.uuid();
}

/** The trace to which the request belongs; an invalid header is as good as none (W3C Trace Context 3.2.2). */
export function traceparentOf(request: FastifyRequest): string | undefined {
  const given = request.headers["traceparent"];
  return typeof given === "string" && TRACEPARENT.test(given) ? given : undefined;
}

/** Throws `bad-request` when there is a key but not a usable one. */
export function idempotencyOf(request: FastifyRequest): { key: string; bodyHash: string } | undefined {
  const key = request.headers["idempotency-key"];
  if (key === undefined) return undefined;
  if (typeof key !== "string" || !IDEMPOTENCY_KEY.test(key)) {
    throw new GitspanError("bad-request", "the Idempotency-Key is not 1 to 200 visible ASCII characters");
  }
  return { key, bodyHash: request.bodyHash };
}

/** Who calls. Routes below the authentication hook always have a caller; anything else is a mistake of ours. */
export function callerOf(request: FastifyRequest): Bearer {
  if (request.caller === null)
    throw new GitspanError("internal", "a route without authentication asked for its caller");
  return request.caller;
}
