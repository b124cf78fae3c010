import { z } from "zod";
import { OUTCOMES, type Outcome, PHASES, WAIT_REASONS } from "../model/delivery.ts";
import type { ErrorCode } from "../model/errors.ts";
import { VERDICT_STATES } from "../model/observation.ts";
import { PROBLEMS } from "./problem-table.ts";

/**
 * What the API answers: `shapes.ts` makes values of these types, `/openapi.json` describes them, and tests hold real
 * answers against them. A key without a value is left out.
 */
const id = z.guid();
const time = z.iso.datetime().describe("UTC");
const commit = z.string().describe("A full commit id");
const outcome = oneOf<Outcome>(Object.keys(OUTCOMES));
const reasons = Object.values(OUTCOMES).flat();

/** Like `z.enum`, for names that are the keys of a table. */
function oneOf<T extends string>(names: readonly string[]) {
  return z
    .custom<T>((value) => typeof value === "string" && names.includes(value))
    .meta({ type: "string", enum: [...names] });
}

const imageBody = z.strictObject({
  name: z.string(),
  repository: z.string().describe("Registry and path, without tag or digest"),
  tag: z.string().optional(),
  digest: z.string().optional(),
});

const verdict = {
  state: z.enum(VERDICT_STATES),
  reason: z.string().optional(),
  message: z.string(),
};
const verdictBody = z.strictObject(verdict);

const evidenceBody = z
  .strictObject({
    field: z.string().describe("Where it was read, as status.sync.revision"),
    value: z.string(),
    rule: z.string().describe("What it means"),
  })
  .describe("One observed fact and the rule that it satisfied or broke");

const trustEvidenceBody = z
  .strictObject({
    what: z.enum(["signature", "provenance", "other"]),
    where: z.string().describe("The tag or manifest beside the image, and the document's digest"),
    signer: z.string().optional().describe("Absent: signed by nobody who is trusted"),
    counts: z.boolean(),
    says: z.string(),
  })
  .describe("One document that was found beside the image");

const deliveryShort = {
  id,
  kind: z.enum(["build", "rollback", "retry"]),
  build: id,
  target: z.string().describe("app/environment"),
  app: z.string(),
  environment: z.string(),
  images: z.array(imageBody).describe("What is to stand at the target"),
  rollback: z
    .strictObject({
      undoes: z.array(id).describe("Deliveries that it takes out, newest first"),
      restores: id.optional().describe("The delivery that it goes back to"),
      trigger: z.enum(["manual", "automatic", "hold"]),
      by: z.string().optional().describe("Who asked for it"),
      why: z.string(),
    })
    .optional()
    .describe("With kind rollback"),
  phase: z.enum(PHASES),
  waitReason: z.enum(WAIT_REASONS).optional().describe("With phase waiting"),
  outcome: outcome.optional().describe("With phase done; it never changes"),
  reason: z.enum(reasons).optional().describe("Why, where the outcome has reasons"),
  message: z.string().optional().describe("Why it waits or how it ended, for people"),
  repository: z.string().describe("The GitOps repository's name in the configuration"),
  branch: z.string().optional(),
  commit: commit.optional().describe("The commit that carries it, once it is on the branch"),
  revertedBy: commit.optional(),
  verdict: verdictBody.optional().describe("What Argo CD's state proves, over all Applications"),
  createdAt: time,
  updatedAt: time,
  links: z.strictObject({ self: z.string(), build: z.string() }),
};

export const deliveryBody = z.strictObject(deliveryShort);

export const eventBody = z.strictObject({
  at: time,
  kind: z
    .string()
    .describe(
      "received, proven, refused, ready, waiting, writing, landed, verdict, warning, rolled-back, done and others",
    ),
  message: z.string(),
  data: z.record(z.string(), z.unknown()).optional(),
});

export const deliveryDetailBody = z.strictObject({
  ...deliveryShort,
  expiresAt: time,
  paths: z.array(z.string()).optional().describe("Files that the commit wrote"),
  pushedAt: time.optional(),
  trust: z
    .strictObject({
      at: time,
      images: z.array(
        z.strictObject({
          repository: z.string(),
          digest: z.string(),
          signers: z.array(z.string()).describe("key sha256:... or identity SUBJECT (ISSUER)"),
          evidence: z.array(trustEvidenceBody),
        }),
      ),
    })
    .optional()
    .describe("By what the images were proven, where the environment wants proof"),
  evidence: z.array(evidenceBody).optional(),
  applications: z
    .array(
      z.strictObject({
        application: z.string().describe("argocd/namespace/name"),
        verdict: z.strictObject({ ...verdict, evidence: z.array(evidenceBody) }).optional(),
      }),
    )
    .optional(),
  events: z.array(eventBody).describe("What happened, oldest first"),
});

export const deliveryPageBody = z.strictObject({
  items: z.array(deliveryBody).describe("Newest first"),
  next: z.string().optional().describe("The cursor of the next page; absent on the last one"),
});

export const feedEventBody = z.strictObject({
  id: z.int().describe("Grows; the Last-Event-ID to resume from"),
  ...eventBody.shape,
  delivery: deliveryBody.describe("As it is when the event is sent"),
});

export const buildBody = z.strictObject({
  id,
  subject: z.string().describe("Who reported it"),
  createdAt: time,
  images: z.array(imageBody),
  source: z.strictObject({
    repository: z.string(),
    commit,
    ref: z.string().optional(),
    time: time.optional(),
    subject: z.string().optional(),
    author: z.string().optional(),
  }),
  run: z
    .strictObject({
      kind: z.string(),
      uid: z.string(),
      name: z.string(),
      namespace: z.string().optional(),
      cluster: z.string().optional(),
      url: z.string().optional(),
      finishedAt: time.optional(),
    })
    .optional(),
  traceparent: z.string().optional(),
  written: z.boolean().describe("Every delivery's commit is on its branch, or it ended without one"),
  done: z.boolean().describe("Every delivery has its outcome"),
  deliveries: z.array(deliveryBody).describe("Those that the caller may see"),
  links: z.strictObject({ self: z.string() }),
});

export const holdBody = z.strictObject({
  id,
  target: z.string().describe("app/environment"),
  digest: z.string().optional(),
  build: id
    .optional()
    .describe("Builds of its source commit and older ones are held. Without it and digest: everything"),
  by: z.string(),
  why: z.string(),
  createdAt: time,
  until: time.optional(),
  links: z.strictObject({ self: z.string(), target: z.string() }),
});

export const holdCreatedBody = holdBody.extend({
  alreadyBeingPushed: z.boolean().describe("What it holds was on its way already, and may still land"),
});

export const holdListBody = z.strictObject({ items: z.array(holdBody) });

export const previewBody = z.strictObject({
  targets: z.array(
    z.strictObject({
      target: z.string().describe("app/environment"),
      repository: z.string(),
      branch: z.string(),
      base: z.string().describe("The commit on which it was worked out"),
      diff: z.string().describe("What diff -u prints; empty when everything stands already"),
      message: z.string().describe("Of the commit; absent when there would be none").optional(),
      warnings: z.array(z.string()),
      refusal: z
        .strictObject({ code: z.string(), message: z.string(), hint: z.string().optional() })
        .describe("Why it would not be written")
        .optional(),
      applications: z.array(z.string()).describe("cluster/namespace/name; absent when unknown").optional(),
      applicationsUnknown: z.string().describe("Why they could not be asked for").optional(),
    }),
  ),
  misses: z.array(z.string()).describe("Why apps that nearly matched did not"),
});

export const targetBody = z.strictObject({
  id: z.string().describe("app/environment"),
  app: z.string(),
  environment: z.string(),
  repository: z.string(),
  branch: z.string(),
  images: z.array(z.strictObject({ name: z.string(), repository: z.string() })),
  current: deliveryBody.optional().describe("Whose values were written last"),
  lastHealthy: id.optional().describe("A delivery"),
  pin: z.strictObject({ by: z.string(), why: z.string() }).optional(),
  override: z
    .strictObject({ kind: z.enum(["reverted", "changed"]), commit })
    .optional()
    .describe("Somebody else's value stands where ours was"),
  holds: z.array(holdBody),
  applications: z
    .array(z.string())
    .optional()
    .describe("Those that run it, as cluster/namespace/name, where they are named"),
  problem: z
    .strictObject({ code: z.string(), message: z.string(), hint: z.string().optional() })
    .optional()
    .describe("Why the target of an annotated Application cannot be written"),
  since: time.optional(),
  links: z.strictObject({ self: z.string() }),
});

export const targetReleasedBody = targetBody.extend({
  released: z.boolean().describe("False: it was not pinned"),
});

const refusedBody = z.strictObject({
  application: z.string().describe("cluster/namespace/name"),
  app: z.string(),
  environment: z.string().optional(),
  message: z.string(),
  hint: z.string(),
});

export const targetPageBody = z.strictObject({
  items: z.array(targetBody),
  refused: z
    .array(refusedBody)
    .optional()
    .describe("On the first page: annotated Applications that are no targets, 100 at most"),
  next: z.string().optional(),
});

export const eventTakenBody = z.strictObject({
  result: z.enum(["accepted", "repeat", "ignored"]),
  build: id.optional(),
  reason: z.string().optional().describe("Why it was ignored, a word for programs"),
});

export const problemBody = z
  .strictObject({
    type: z.url(),
    title: z.string(),
    status: z.int(),
    code: oneOf<ErrorCode>(Object.keys(PROBLEMS)),
    detail: z.string(),
    instance: z.string(),
    requestId: z.string(),
    hint: z.string().optional(),
    errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
  })
  .describe("RFC 9457; `code` is for programs, `detail` and `hint` are for people");

export type BuildBody = z.output<typeof buildBody>;
export type DeliveryBody = z.output<typeof deliveryBody>;
export type DeliveryDetailBody = z.output<typeof deliveryDetailBody>;
export type HoldBody = z.output<typeof holdBody>;
export type RefusedBody = z.output<typeof refusedBody>;
export type TargetBody = z.output<typeof targetBody>;
export type FeedEventBody = z.output<typeof feedEventBody>;
