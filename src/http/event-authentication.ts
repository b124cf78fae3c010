import { timingSafeEqual } from "node:crypto";
import type { FastifyReply, FastifyRequest, RequestPayload } from "fastify";
import { SIGNATURE_HEADER, SIGNATURE_KEY_HEADER } from "../config/signatures.ts";
import { hashToken } from "../config/tokens.ts";
import { GitspanError } from "../model/errors.ts";
import { Refused } from "../model/refusal.ts";
import { type AuthenticationDeps, authentication } from "./authentication.ts";
import { type EventDeps, type EventSource, eventSourceOf, paramOf } from "./event-source.ts";
import { FailedLogins } from "./failed-logins.ts";

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;
const MIN_SECRET = 16;
const FAILED_LOGINS_PER_MINUTE = 60;
const HINT =
  "Use the sink address with the secret path or the user name and password of tekton.<name>.events, or send a token.";

/**
 * The hooks for events. Tekton cannot authenticate to its sink beyond what the sink's address holds, so beside tokens
 * and signatures a secret at the end of the path and basic authentication are known. Nobody has to be known where an event
 * is only a hint and nothing of this is configured; whoever presents something has to be right.
 */
export function eventAuthentication(deps: AuthenticationDeps & { events?: EventDeps }) {
  const failures = new FailedLogins(deps.clock, deps.limits?.failedLoginsPerMinute ?? FAILED_LOGINS_PER_MINUTE);
  const callers = authentication(deps);

  const mustBe = async (request: FastifyRequest, given: string, wanted: () => Promise<string>): Promise<void> => {
    const credential = hashToken(given);
    failures.check(request.ip, credential);
    if (!isSame(credential, hashToken(await wanted()))) {
      failures.failed(request.ip, credential);
      throw unknownSender();
    }
    failures.succeeded(credential);
  };

  return {
    onRequest: async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      const source = eventSourceOf(deps.events, request);
      const { basic, pathSecret } = source;
      const secret = paramOf(request, "secret");
      const { authorization } = request.headers;
      const userInfo = BASIC.exec(authorization ?? "")?.[1];
      if (secret !== undefined) {
        if (pathSecret === undefined) throw new GitspanError("not-found", "there is nothing at this path");
        await mustBe(request, secret, () => longEnough(pathSecret));
      } else if (userInfo !== undefined && basic !== undefined) {
        const given = Buffer.from(userInfo, "base64").toString("utf8");
        await mustBe(request, given, async () => `${basic.username}:${await longEnough(basic.password)}`);
      } else if (authorization !== undefined || isSigned(request)) {
        await callers.onRequest(request, reply);
      } else if (needsSender(source)) {
        throw unknownSender();
      }
    },

    /** A signature covers the body, so it can be checked only now. */
    preParsing: async (
      request: FastifyRequest,
      reply: FastifyReply,
      payload: RequestPayload,
    ): Promise<RequestPayload> =>
      isSigned(request) && request.caller === null && paramOf(request, "secret") === undefined
        ? callers.preParsing(request, reply, payload)
        : payload,
  };
}

function needsSender({ trusted, pathSecret, basic }: EventSource): boolean {
  return trusted || pathSecret !== undefined || basic !== undefined;
}

function isSigned({ headers }: FastifyRequest): boolean {
  return headers[SIGNATURE_HEADER] !== undefined || headers[SIGNATURE_KEY_HEADER] !== undefined;
}

/** What can be guessed is no secret. It is read on every call, as it may be rotated. */
async function longEnough(read: () => Promise<string>): Promise<string> {
  const secret = await read();
  if (secret.length >= MIN_SECRET) return secret;
  throw new GitspanError("config-invalid", `a secret for events has fewer than ${MIN_SECRET} characters`);
}

/** Of two hashes, so that neither length nor content shows in the time it takes. */
function isSame(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function unknownSender(): Refused {
  return new Refused("unauthenticated", {
    reason: "unknown-token",
    message: "the sender of the event is not known",
    hint: HINT,
  });
}
