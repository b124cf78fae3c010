import { z } from "zod";
import { checked, duration, path } from "./schema-forms.ts";
import { urlProblem } from "./values.ts";

/** Signatures that only the issuer can make; one with a shared secret, or none at all, proves nothing. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

const secureUrl = checked((text) => {
  const message = urlProblem(text);
  if (message !== undefined) return { message };
  return new URL(text).protocol === "https:" ? undefined : { message: "must start with https://" };
});

const template = z
  .string()
  .regex(/^[^\s{}*]*(?:\{[\w.-]{1,100}\}[^\s{}*]*)+$/, "must be a text with {claim} in it, without spaces and stars");

/** Another CI whose jobs have tokens of their own. */
export const oidc = z.strictObject({
  issuer: secureUrl,
  audience: z
    .string()
    .regex(/^[\x21-\x7e]{1,253}$/, "must be 1 to 253 visible ASCII characters")
    .optional(),
  algorithms: z.array(z.enum(ALGORITHMS)).min(1, "must name at least one algorithm").optional(),
  jwksUri: secureUrl.optional(),
  jwksFile: path.optional(),
  caFile: path.optional(),
  maxAge: duration({ zero: false }).optional(),
  subject: template.optional(),
  source: z
    .strictObject({ repository: template.optional(), commit: template.optional(), ref: template.optional() })
    .optional(),
});
