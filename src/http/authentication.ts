import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest, RequestPayload } from "fastify";
import {
  isRecent,
  isSignedBy,
  parseSignature,
  SIGNATURE_HEADER,
  SIGNATURE_KEY_HEADER,
  type Signature,
} from "../config/signatures.ts";
import { hashToken, isTokenFormat } from "../config/tokens.ts";
import { isGitspanError } from "../model/errors.ts";
import { Refused } from "../model/refusal.ts";
import { type Bearer, bearerOf } from "./bearers.ts";
import type { HttpDeps } from "./deps.ts";
import { FailedLogins } from "./failed-logins.ts";
import { readBody } from "./read-body.ts";

export interface AuthenticationDeps
  extends Pick<HttpDeps, "store" | "signatureSecrets" | "bearers" | "clock" | "limits"> {}

const BEARER = /^bearer +(\S+)$/i;
const FAILED_LOGINS_PER_MINUTE = 60;
const TOKEN_HINT = "Send `Authorization: Bearer gsp_...` with a token made by `gitspan token create`.";
const SIGNATURE_HINT =
  "Sign `<unix seconds>.<raw body>` with HMAC-SHA-256 and the secret of Gitspan-Key, by a clock that is right to five minutes.";

/**
 * Where a signature is taken. It covers the time and the body, not method and path, so whoever recorded a request
 * could repeat it for some minutes: harmless where a repeat is known by what it says, and nowhere else.
 */
const SIGNED_ROUTES: ReadonlySet<string> = new Set([
  "POST /v1/builds",
  "POST /v1/events/tekton",
  "POST /v1/events/tekton/:cluster",
]);

/**
 * The hooks that let only known callers through. `onRequest` knows the bearer of a token, ours or another's; a signed request is known only
 * once its body is there (`preParsing`, before anything parses it). Whatever goes wrong on the way, `caller` stays
 * unset and the request is refused; when the store does not answer, nobody gets in (503).
 */
export function authentication(deps: AuthenticationDeps) {
  const failures = new FailedLogins(deps.clock, deps.limits?.failedLoginsPerMinute ?? FAILED_LOGINS_PER_MINUTE);
  return {
    onRequest: async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      if (isSigned(request)) return;
      const token = tokenOf(request);
      // Tokens are looked up by their SHA-256 alone: what an index lookup takes tells nothing of the token.
      const credential = hashToken(token);
      failures.check(request.ip, credential);
      try {
        request.caller = await callerWith(deps, request, { token, hash: credential });
      } catch (error) {
        // Each of them made us ask somebody; who is known but may not come in makes no difference there.
        if (error instanceof Refused && error.code !== "run-not-ready") failures.failed(request.ip, credential);
        if (isGitspanError(error, "unauthenticated")) {
          reply.header("www-authenticate", 'Bearer realm="gitspan", error="invalid_token"');
        }
        throw error;
      }
      failures.succeeded(credential);
    },

    preParsing: async (
      request: FastifyRequest,
      _reply: FastifyReply,
      payload: RequestPayload,
    ): Promise<RequestPayload> => {
      if (request.caller !== null) return payload;
      const key = String(request.headers[SIGNATURE_KEY_HEADER] ?? "");
      const credential = `signature:${key}`;
      failures.check(request.ip, credential);
      const signature = signatureOf(request, deps.clock.now());
      const body = signature && (await readBody(payload, request.routeOptions.bodyLimit));
      if (!signature || !body || !isSignedBy(signature, body, await deps.signatureSecrets(key))) {
        failures.failed(request.ip, credential);
        const message = "the signature is not valid";
        throw new Refused("unauthenticated", { reason: "signature", message, hint: SIGNATURE_HINT });
      }
      failures.succeeded(credential);
      request.caller = { subject: credential, groups: [] };
      return Readable.from([body]);
    },
  };
}

/** Throws `Refused` for a token that nobody knows. */
async function callerWith(
  deps: AuthenticationDeps,
  request: FastifyRequest,
  { token, hash }: { token: string; hash: string },
): Promise<Bearer> {
  const known = isTokenFormat(token) ? await deps.store.tokenByHash(hash) : undefined;
  if (known !== undefined) return { subject: `token:${known.name}`, groups: known.groups };
  const bearer = isTokenFormat(token) ? undefined : await bearerOf(deps, request, token);
  if (bearer !== undefined) return bearer;
  const message = "the token is unknown, revoked or expired";
  throw new Refused("unauthenticated", { reason: "unknown-token", message, hint: TOKEN_HINT });
}

function isSigned({ headers }: FastifyRequest): boolean {
  return headers[SIGNATURE_HEADER] !== undefined || headers[SIGNATURE_KEY_HEADER] !== undefined;
}

/** Undefined for everything that cannot be right whatever the body is. */
function signatureOf({ headers, method, routeOptions }: FastifyRequest, now: number): Signature | undefined {
  const header = headers[SIGNATURE_HEADER];
  // Two credentials may be of two callers: which one is meant is not ours to guess.
  if (typeof header !== "string" || headers.authorization !== undefined) return undefined;
  if (!SIGNED_ROUTES.has(`${method} ${routeOptions.url}`)) return undefined;
  const signature = parseSignature(header);
  return signature !== undefined && isRecent(signature, now) ? signature : undefined;
}

function tokenOf(request: FastifyRequest): string {
  const header = request.headers.authorization;
  if (header === undefined) {
    throw noCredential("the request has no token");
  }
  const token = BEARER.exec(header)?.[1];
  if (token !== undefined) return token;
  throw noCredential("the Authorization header is not a bearer token");
}

function noCredential(message: string): Refused {
  return new Refused("unauthenticated", { reason: "no-credential", message, hint: TOKEN_HINT });
}
