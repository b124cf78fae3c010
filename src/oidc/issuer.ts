import type { JWTPayload, JWTVerifyGetKey } from "jose";
import type { Clock } from "../model/ambient.ts";
import type { Source } from "../model/build.ts";
import { messageOf } from "../model/errors.ts";
import { Refused } from "../model/refusal.ts";
import { isSameRepository } from "../model/repository-url.ts";
import { type Claims, fill, unusable } from "./claims.ts";
import { IssuerKeys, type KeySource } from "./keys.ts";

/** Another CI that makes tokens for its jobs. */
export interface IssuerLocation extends KeySource {
  /** Its name in the configuration. */
  name: string;
  audience: string;
  /** Of asymmetric signatures; no others are taken. */
  algorithms: readonly string[];
  /** A token is not taken so many milliseconds after it was made, however long it would be valid. */
  maxAgeMs: number;
  /** What follows `oidc:NAME:` in the subject, with `{claim}`. */
  subject: string;
  /** What the token says of the source, with `{claim}`; a report that says otherwise is refused. */
  source: { repository?: string | undefined; commit?: string | undefined; ref?: string | undefined };
}

export interface JobCaller {
  subject: string;
  /** Throws `Refused` when the source is not the one of the token. */
  vouches(source: Source): void;
}

export interface Issuer {
  /** Errors: `Refused`, `issuer-unavailable`. */
  identify(token: string): Promise<JobCaller>;
}

/** How far the issuer's clock may be from ours. */
const SKEW_SECONDS = 60;

/** Rejects with `config-invalid` when a file of keys or certificates is unusable. */
export async function openIssuer(clock: Clock, location: IssuerLocation): Promise<Issuer> {
  const keys = await IssuerKeys.open(clock, location);
  return {
    async identify(token) {
      const claims = await verify(clock, { location, keys, token });
      const subject = `oidc:${location.name}:${fill(location.subject, claims)}`;
      const said = sourceIn(location.source, claims);
      return { subject, vouches: (source) => compare(said, source) };
    },
  };
}

interface Verifying {
  location: IssuerLocation;
  keys: IssuerKeys;
  token: string;
}

async function verify(clock: Clock, input: Verifying): Promise<Claims> {
  const { errors } = await import("jose");
  try {
    return await verifyWith(clock, input, await input.keys.current());
  } catch (error) {
    if (!(error instanceof errors.JWKSNoMatchingKey)) throw await refusalOf(error);
  }
  // Keys change; a token of a new one may come before we have heard of it.
  const newer = await input.keys.newer();
  if (newer === undefined) throw unusable("signature", "no key of the issuer has signed it");
  try {
    return await verifyWith(clock, input, newer);
  } catch (error) {
    throw await refusalOf(error);
  }
}

async function verifyWith(clock: Clock, { location, token }: Verifying, keys: JWTVerifyGetKey): Promise<JWTPayload> {
  const { jwtVerify } = await import("jose");
  const { payload } = await jwtVerify(token, keys, {
    issuer: location.issuer,
    audience: location.audience,
    algorithms: [...location.algorithms],
    requiredClaims: ["exp", "iat"],
    maxTokenAge: location.maxAgeMs / 1_000,
    clockTolerance: SKEW_SECONDS,
    currentDate: new Date(clock.now()),
  });
  return payload;
}

/** What is wrong with the token, in one of our words; what is wrong with us stays as it is. */
async function refusalOf(error: unknown): Promise<unknown> {
  const { errors } = await import("jose");
  if (!(error instanceof errors.JOSEError)) return error;
  const detail = messageOf(error).slice(0, 200);
  if (error instanceof errors.JWTExpired) return unusable("expired", detail);
  if (error instanceof errors.JOSEAlgNotAllowed) return unusable("algorithm", detail);
  if (error instanceof errors.JWTClaimValidationFailed) {
    return unusable(error.claim === "aud" ? "audience" : error.claim === "iss" ? "issuer" : "claims", detail);
  }
  const isSignature =
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys;
  return unusable(isSignature ? "signature" : "malformed", detail);
}

function sourceIn(templates: IssuerLocation["source"], claims: Claims): IssuerLocation["source"] {
  const filled = Object.entries(templates).flatMap(([key, template]) =>
    template === undefined ? [] : [[key, fill(template, claims)]],
  );
  return Object.fromEntries(filled);
}

function compare(said: IssuerLocation["source"], source: Source): void {
  const { repository, commit, ref } = said;
  const other =
    (repository !== undefined && !isSameRepository(repository, source.repository) && "repository") ||
    (commit !== undefined && commit !== source.commit && "commit") ||
    (ref !== undefined && ref !== source.ref && "ref");
  if (!other) return;
  throw new Refused("forbidden", {
    reason: "another-source",
    message: `the report names another ${other} than the token: ${String(said[other])}`,
  });
}
