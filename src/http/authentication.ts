import type { FastifyReply, FastifyRequest } from "fastify";
import { hashToken, isTokenFormat } from "../config/tokens.ts";
import { GitspanError } from "../model/errors.ts";
import type { HttpDeps } from "./deps.ts";

const BEARER = /^bearer +(\S+)$/i;
const HINT = "Send `Authorization: Bearer gsp_...` with a token made by `gitspan token create`.";

/**
 * Hook that lets only requests with a valid token through. Tokens are looked up by their SHA-256 alone, so what an
 * index lookup takes tells nothing of the token; when the store does not answer, nobody gets in (503).
 */
export function authenticate(deps: Pick<HttpDeps, "store">) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const header = request.headers.authorization;
    if (header === undefined) throw new GitspanError("unauthenticated", "the request has no token", { hint: HINT });
    const token = BEARER.exec(header)?.[1];
    if (token === undefined) {
      throw new GitspanError("unauthenticated", "the Authorization header is not a bearer token", { hint: HINT });
    }
    const known = isTokenFormat(token) ? await deps.store.tokenByHash(hashToken(token)) : undefined;
    if (known === undefined) {
      reply.header("www-authenticate", 'Bearer realm="gitspan", error="invalid_token"');
      throw new GitspanError("unauthenticated", "the token is unknown, revoked or expired", { hint: HINT });
    }
    request.caller = { subject: `token:${known.name}`, groups: known.groups };
  };
}
