import { z } from "zod";
import { environmentVariable, exactlyOne, kubernetes, kubernetesName, path } from "./schema-forms.ts";

/** One cluster whose Tekton sends events. */
export const tekton = z.strictObject({
  kubernetes: kubernetes.optional(),
  audience: z
    .string()
    .regex(/^[\x21-\x7e]{1,253}$/, "must be 1 to 253 visible ASCII characters")
    .optional(),
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
