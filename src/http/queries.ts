import { z } from "zod";
import { parseDuration } from "../config/values.ts";
import { OUTCOMES, type Outcome, PHASES } from "../model/delivery.ts";
import { plainText } from "./parse.ts";

const MAX_WAIT_MS = 60_000;
/** `?wait=60s&until=done`; longer waits are cut to a minute, which proxies on the way let live. */
export const waitQuery = z.strictObject({
  wait: z
    .string()
    .refine((text) => parseDuration(text) !== undefined, "must be a duration, as 30s")
    .transform((text) => Math.min(parseDuration(text) ?? 0, MAX_WAIT_MS))
    .default(0),
  until: z.enum(["written", "done"], "must be written or done").default("done"),
});

const name = plainText(253).optional();

/** `?app=checkout&environment=prod` */
export const targetsFilter = z.strictObject({ app: name, environment: name });

const limit = z
  .string()
  .regex(/^\d{1,3}$/, "must be 1 to 200")
  .transform(Number)
  .refine((value) => value >= 1 && value <= 200, "must be 1 to 200")
  .default(50);

export const targetsQuery = z.strictObject({
  app: name,
  environment: name,
  limit,
  cursor: z
    .string()
    .regex(/^[a-z0-9/-]{1,127}$/, "must be the `next` of the page before")
    .optional(),
});

export const deliveriesQuery = z.strictObject({
  app: name,
  environment: name,
  outcome: z
    .string()
    .refine(
      (text): text is Outcome => Object.hasOwn(OUTCOMES, text),
      `must be one of ${Object.keys(OUTCOMES).join(", ")}`,
    )
    .optional(),
  phase: z.enum(PHASES, `must be one of ${PHASES.join(", ")}`).optional(),
  commit: z
    .string()
    .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, "must be a full commit id")
    .optional(),
  image: plainText(512).optional(),
  build: z.guid("must be the id of a build").optional(),
  limit,
  cursor: z
    .string()
    .regex(/^[\w.~=+/:-]{1,512}$/, "must be the `next` of the page before")
    .optional(),
});

export const noQuery = z.strictObject({});

/** Where an event stream is resumed; undefined: from now on. */
export const lastEventIdHeader = z
  .string()
  .regex(/^\d{1,15}$/, "must be the id of an event")
  .transform(Number)
  .optional();
