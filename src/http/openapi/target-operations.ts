import { planBody } from "../build-report.ts";
import { noQuery, targetsFilter, targetsQuery } from "../queries.ts";
import {
  deliveryBody,
  holdBody,
  holdCreatedBody,
  holdListBody,
  previewBody,
  targetBody,
  targetPageBody,
  targetReleasedBody,
} from "../responses.ts";
import { newHoldBody } from "../routes/holds.ts";
import { newRollbackBody } from "../routes/rollbacks.ts";
import {
  holdExample,
  newHoldExample,
  planExample,
  previewExample,
  rollbackExample,
  targetExample,
} from "./examples.ts";
import type { Operations } from "./operation.ts";

const names = { app: "Name of the app", environment: "Name of the environment" };

export const targetOperations: Operations = {
  "GET /v1/targets": {
    id: "listTargets",
    tag: "targets",
    summary: "Targets and what stands there",
    security: "token",
    query: targetsQuery,
    answers: { 200: { description: "One page", schema: targetPageBody, example: { items: [targetExample] } } },
    problems: ["bad-request", "store-unavailable"],
  },
  "GET /v1/targets/:app/:environment": {
    id: "getTarget",
    tag: "targets",
    summary: "A target and what stands there",
    security: "token",
    path: names,
    query: noQuery,
    answers: { 200: { description: "The target as it is now", schema: targetBody, example: targetExample } },
    problems: ["bad-request", "not-found", "store-unavailable"],
  },
  "POST /v1/targets/:app/:environment/release": {
    id: "releaseTarget",
    tag: "targets",
    summary: "Release a pinned target",
    security: "token",
    path: names,
    query: noQuery,
    answers: { 200: { description: "The target as it is now", schema: targetReleasedBody } },
    problems: [
      "bad-request",
      "forbidden",
      "not-found",
      "unsupported-media-type",
      "payload-too-large",
      "store-unavailable",
    ],
  },
  "POST /v1/targets/:app/:environment/rollbacks": {
    id: "rollBackTarget",
    tag: "targets",
    summary: "Take a target back to its last healthy delivery",
    description:
      "One commit takes out everything that came after it, and what is taken out is held. Asked again, it is the same rollback.",
    security: "token",
    path: names,
    query: noQuery,
    body: { schema: newRollbackBody, example: { why: "It charges twice." } },
    answers: {
      200: { description: "It was asked for before", schema: deliveryBody, headers: { Location: "The delivery" } },
      202: {
        description: "Stored durably",
        schema: deliveryBody,
        headers: { Location: "The delivery" },
        example: rollbackExample,
      },
    },
    problems: [
      "bad-request",
      "forbidden",
      "not-found",
      "rollback-refused",
      "payload-too-large",
      "unsupported-media-type",
      "store-unavailable",
    ],
  },
  "POST /v1/plans": {
    id: "planBuild",
    tag: "targets",
    summary: "What a build would change, without writing it",
    description: "For the targets that the caller may read. Without a source, the rules about sources do not count.",
    security: "token",
    query: noQuery,
    body: { schema: planBody, example: planExample },
    answers: {
      200: { description: "Worked out on the branches as they are", schema: previewBody, example: previewExample },
    },
    problems: [
      "bad-request",
      "git-unreachable",
      "payload-too-large",
      "unsupported-media-type",
      "timed-out",
      "store-unavailable",
    ],
  },
  "GET /v1/holds": {
    id: "listHolds",
    tag: "targets",
    summary: "Holds in force",
    security: "token",
    query: targetsFilter,
    answers: { 200: { description: "Oldest first", schema: holdListBody, example: { items: [holdExample] } } },
    problems: ["bad-request", "store-unavailable"],
  },
  "POST /v1/holds": {
    id: "placeHold",
    tag: "targets",
    summary: "Hold a digest, or everything, off a target",
    security: "token",
    query: noQuery,
    body: { schema: newHoldBody, example: newHoldExample },
    answers: {
      201: {
        description: "It is in force",
        schema: holdCreatedBody,
        headers: { Location: "The hold" },
        example: { ...holdExample, alreadyBeingPushed: false },
      },
    },
    problems: [
      "bad-request",
      "forbidden",
      "not-found",
      "payload-too-large",
      "unsupported-media-type",
      "store-unavailable",
    ],
  },
  "GET /v1/holds/:id": {
    id: "getHold",
    tag: "targets",
    summary: "A hold",
    security: "token",
    path: { id: "Id of the hold" },
    query: noQuery,
    answers: { 200: { description: "The hold", schema: holdBody, example: holdExample } },
    problems: ["bad-request", "not-found", "store-unavailable"],
  },
  "DELETE /v1/holds/:id": {
    id: "removeHold",
    tag: "targets",
    summary: "Remove a hold",
    security: "token",
    path: { id: "Id of the hold" },
    query: noQuery,
    answers: { 204: { description: "It is gone" } },
    problems: [
      "bad-request",
      "forbidden",
      "not-found",
      "unsupported-media-type",
      "payload-too-large",
      "store-unavailable",
    ],
  },
};
