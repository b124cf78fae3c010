import { z } from "zod";
import { PROVENANCE } from "../model/trust.ts";
import { checked, duration, environmentVariable, exactlyOne, name, path } from "./schema-forms.ts";
import { isRegistryHost, urlProblem } from "./values.ts";

/** A server's address, without a path behind it. */
const origin = checked((text) => {
  const message = urlProblem(text);
  if (message !== undefined) return { message };
  return new URL(text).pathname === "/" ? undefined : { message: "must be an address without a path" };
});

const host = z.string().refine(isRegistryHost, "must be host or host:port");

export const registryHost = z
  .string()
  .refine(isRegistryHost, "must be a registry's host as images name it: registry.example.com, or with :port");

/** A registry that may be asked; no other one is. */
export const registry = z
  .strictObject({
    url: origin.optional(),
    mirrors: z.array(origin).min(1, "must name at least one mirror, or be left out").optional(),
    auth: exactlyOne(
      z.strictObject({
        username: z
          .string()
          .regex(/^[^:\s]+$/, "must be a name without : and spaces")
          .optional(),
        passwordFile: path.optional(),
        passwordEnv: environmentVariable.optional(),
        dockerConfigFile: path.optional(),
      }),
      ["passwordFile", "passwordEnv", "dockerConfigFile"],
    ).optional(),
    tokenHosts: z.array(host).min(1, "must name at least one host, or be left out").optional(),
    caFile: path.optional(),
  })
  .nullable();

const patterns = z.array(z.string().min(1, "must not be empty")).min(1, "must name at least one");

const policy = {
  cosignKeyFiles: z.array(path).min(1, "must name at least one file").max(16, "16 at most").optional(),
  keyless: exactlyOne(
    z.strictObject({
      trustedRootFile: path.optional(),
      caFile: path.optional(),
      identities: z
        .array(
          z.strictObject({
            issuer: z.string().min(1, "must not be empty"),
            subject: z.string().min(1, "must not be empty"),
          }),
        )
        .min(1, "must name at least one identity"),
    }),
    ["trustedRootFile", "caFile"],
  ).optional(),
  signature: z.boolean().optional(),
  provenance: z.enum(PROVENANCE).optional(),
  builders: patterns.optional(),
  buildTypes: patterns.optional(),
  matchSource: z.boolean().optional(),
  matchRun: z.boolean().optional(),
  maxAge: duration({ zero: false }).optional(),
  waitForSignature: duration({ zero: true }).optional(),
};

/** What one environment wants otherwise than the others. */
export const environmentTrust = z.strictObject(policy);

/** What is wanted of images, and in which environments. */
export const trust = z.strictObject({
  ...policy,
  require: z.array(name).min(1, "must name at least one environment"),
});

export type RawTrustPolicy = z.infer<typeof environmentTrust>;
export type RawRegistry = NonNullable<z.infer<typeof registry>>;
