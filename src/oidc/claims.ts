import { type RefusalReason, Refused } from "../model/refusal.ts";

/** The claims of a token that was verified. */
export type Claims = Readonly<Record<string, unknown>>;

const PLACEHOLDER = /\{([\w.-]{1,100})\}/g;
/** Neither a colon, which separates the parts of a subject, nor a star, which stands for anything in access rules. */
const PART = /^[\x21-\x29\x2b-\x39\x3b-\x7e]{1,255}$/;
const WHOLE = /^[\x21-\x29\x2b-\x7e]{1,500}$/;

/**
 * A template with the token's claims. Values have no colon, so that no value passes for another part of the subject; a
 * template that is one claim alone, as `{sub}`, is the issuer's own text and may have them. Throws `Refused` for a claim
 * that is missing or not usable.
 */
export function fill(template: string, claims: Claims): string {
  const isWhole = /^\{[\w.-]+\}$/.test(template);
  return template.replaceAll(PLACEHOLDER, (_, name: string) => {
    const value = claims[name];
    const text = typeof value === "string" ? value : JSON.stringify(value);
    if (value === undefined || value === null || typeof value === "object" || !(isWhole ? WHOLE : PART).test(text)) {
      throw unusable("claims", `the claim ${name} is missing or not usable`);
    }
    return text;
  });
}

export function unusable(reason: RefusalReason, detail: string): Refused {
  return new Refused("unauthenticated", {
    reason,
    message: "the token is not valid here",
    detail,
    hint: "Ask the CI for a token of the audience, and with the claims, that oidc.<name> of gitspan's configuration says.",
  });
}
