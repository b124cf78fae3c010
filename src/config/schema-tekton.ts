import { z } from "zod";
import { checked, environmentVariable, exactlyOne, kubernetes, kubernetesName, path } from "./schema-forms.ts";
import { webUrl } from "./schema-repository.ts";
import { urlProblem } from "./values.ts";

// Kubernetes: a prefix that is a DNS subdomain, then at most 63 characters.
const LABEL = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/;
const labelValue = z.string().regex(/^(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?$/, "must be the value of a label");

/** One cluster whose Tekton sends events. */
export const tekton = z.strictObject({
  kubernetes: kubernetes.optional(),
  audience: z
    .string()
    .regex(/^[\x21-\x7e]{1,253}$/, "must be 1 to 253 visible ASCII characters")
    .optional(),
  runUrl: checked((text) => {
    const message = urlProblem(text.replaceAll(/\{(?:namespace|name|uid)\}|#/g, "x"));
    return message === undefined
      ? undefined
      : { message, hint: "as in https://tekton.example.com/#/{namespace}/{name}" };
  }).optional(),
  watch: z
    .strictObject({
      labels: z.record(z.string().regex(LABEL, "must be the key of a label"), labelValue).optional(),
      since: z.iso.datetime({ offset: true, error: "must be a time with a zone, as 2026-01-31T12:00:00Z" }).optional(),
    })
    .optional(),
  results: exactlyOne(
    z.strictObject({
      url: webUrl,
      tokenFile: path.optional(),
      tokenEnv: environmentVariable.optional(),
      caFile: path.optional(),
    }),
    ["tokenFile", "tokenEnv"],
  ).optional(),
  namespaces: z.array(kubernetesName).min(1, "must name at least one namespace").optional(),
  events: z
    .strictObject({
      trusted: z.boolean().optional(),
      pathSecretFile: path.optional(),
      pathSecretEnv: environmentVariable.optional(),
      basic: exactlyOne(
        z.strictObject({
          username: z.string().regex(/^[^:\s]+$/, "must be a name without : and spaces"),
          passwordFile: path.optional(),
          passwordEnv: environmentVariable.optional(),
        }),
        ["passwordFile", "passwordEnv"],
      ).optional(),
    })
    .optional(),
});
