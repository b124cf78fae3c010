import { z } from "zod";

/** What Kubernetes and people are told of the process. */
export const liveBody = z.strictObject({ status: z.literal("alive"), version: z.string() });

export const readyBody = z.strictObject({
  status: z.enum(["ready", "not-ready", "shutting-down"]),
  checks: z
    .array(
      z.strictObject({
        name: z.string(),
        ok: z.boolean(),
        detail: z.string(),
        advisory: z.literal(true).optional().describe("Does not count for the status"),
      }),
    )
    .optional()
    .describe("With verbose"),
});
