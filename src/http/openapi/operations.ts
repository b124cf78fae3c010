import { z } from "zod";
import { buildReportBody, runClaimBody } from "../build-report.ts";
import { liveBody, readyBody } from "../probe-responses.ts";
import { deliveriesQuery, lastEventIdHeader, noQuery, targetsFilter, waitQuery } from "../queries.ts";
import { buildBody, deliveryDetailBody, deliveryPageBody, eventTakenBody } from "../responses.ts";
import { buildExample, buildReportExample, deliveryExample, feedEventText } from "./examples.ts";
import type { Operation, Operations } from "./operation.ts";
import { targetOperations } from "./target-operations.ts";

const traceparent = {
  schema: z.string(),
  description: "W3C Trace Context: kept with the build, and with the commits and log lines of its deliveries",
};

const eventOfTekton: Omit<Operation, "id" | "path"> = {
  tag: "events",
  summary: "Take an event of Tekton",
  description:
    "A CloudEvent in binary mode. It is a hint: the run is read again from the Kubernetes API before anything happens, unless the cluster's events are configured as trusted. Events that mean nothing here are ignored, not refused.",
  security: "sender",
  headers: {
    "Ce-Id": { schema: z.string(), description: "Id of the event" },
    "Ce-Source": { schema: z.string(), description: "Where it is from" },
    "Ce-Specversion": { schema: z.string(), description: "1.0" },
    "Ce-Type": { schema: z.string(), description: "As dev.tekton.event.pipelinerun.successful.v1" },
    traceparent,
  },
  body: {
    schema: z.record(z.string(), z.unknown()),
    example: { pipelineRun: { apiVersion: "tekton.dev/v1", kind: "PipelineRun", metadata: { name: "checkout-7" } } },
  },
  answers: { 202: { description: "Taken, or not meant for us", schema: eventTakenBody } },
  problems: [
    "bad-request",
    "unauthenticated",
    "forbidden",
    "not-found",
    "payload-too-large",
    "unsupported-media-type",
    "rate-limited",
    "event-not-taken",
    "kubernetes-unavailable",
    "kubernetes-forbidden",
    "registry-unreachable",
    "store-unavailable",
  ],
};

export const OPERATIONS: Operations = {
  "POST /v1/builds": {
    id: "reportBuild",
    tag: "builds",
    summary: "Report a build",
    description:
      "Stores the build with one delivery for each target that it is for. A repeat (the same run, or without a run the same subject, images and commit) finds the stored one, so it is always safe to send a report again. The last task of a Tekton pipeline sends a RunClaim with the token of its service account: images and source are read from its run.",
    security: "token-or-signature",
    headers: {
      "Idempotency-Key": {
        schema: z.string().regex(/^[\x21-\x7e]{1,200}$/),
        description: "The same key with the same bytes is the same request; with other bytes it is refused",
      },
      traceparent,
    },
    body: { schema: z.union([buildReportBody, runClaimBody]), example: buildReportExample },
    answers: {
      200: { description: "It was known already", schema: buildBody, headers: { Location: "The build" } },
      202: {
        description: "Stored durably",
        schema: buildBody,
        headers: { Location: "The build" },
        example: buildExample,
      },
    },
    problems: [
      "bad-request",
      "forbidden",
      "payload-too-large",
      "unsupported-media-type",
      "no-target",
      "run-not-ready",
      "run-refused",
      "idempotency-mismatch",
      "rate-limited",
      "registry-unreachable",
      "registry-auth",
      "registry-protocol",
      "store-unavailable",
    ],
  },
  "GET /v1/builds/:id": {
    id: "getBuild",
    tag: "builds",
    summary: "A build and its deliveries",
    description: "With `wait` the answer is held back until the deliveries are `written` or `done`, or the time is up.",
    security: "token",
    path: { id: "Id of the build" },
    query: waitQuery,
    answers: { 200: { description: "The build as it is now", schema: buildBody, example: buildExample } },
    problems: ["bad-request", "not-found", "store-unavailable", "provenance-needs-run-end"],
  },
  "GET /v1/deliveries": {
    id: "listDeliveries",
    tag: "deliveries",
    summary: "Deliveries, newest first",
    security: "token",
    query: deliveriesQuery,
    answers: { 200: { description: "One page", schema: deliveryPageBody, example: { items: [deliveryExample] } } },
    problems: ["bad-request", "store-unavailable"],
  },
  "GET /v1/deliveries/:id": {
    id: "getDelivery",
    tag: "deliveries",
    summary: "A delivery, what happened to it and what its verdicts rest on",
    security: "token",
    path: { id: "Id of the delivery" },
    query: noQuery,
    answers: { 200: { description: "The delivery as it is now", schema: deliveryDetailBody } },
    problems: ["bad-request", "not-found", "store-unavailable"],
  },
  "GET /v1/stream": {
    id: "followDeliveries",
    tag: "deliveries",
    summary: "What happens to deliveries, as it happens",
    description:
      "Server-sent events named `delivery`; their data is a FeedEvent. Whoever resumes with the last id it saw misses nothing. A comment comes every 15 s; the stream ends after 15 min or when the server stops, and is then to be resumed.",
    security: "token",
    query: targetsFilter,
    headers: { "Last-Event-ID": { schema: lastEventIdHeader, description: "Resume after this event" } },
    answers: { 200: { description: "The stream", type: "text/event-stream", example: feedEventText } },
    problems: ["bad-request", "busy", "store-unavailable"],
  },
  ...targetOperations,
  "POST /v1/events/tekton": { ...eventOfTekton, id: "takeTektonEvent" },
  "POST /v1/events/tekton/:cluster": {
    ...eventOfTekton,
    id: "takeTektonEventOfCluster",
    path: { cluster: "The cluster's name under `tekton` in the configuration" },
  },
  "POST /v1/events/tekton/:cluster/:secret": {
    ...eventOfTekton,
    id: "takeTektonEventWithSecret",
    path: { cluster: "The cluster's name under `tekton` in the configuration", secret: "Its `pathSecret`" },
  },
  "GET /livez": {
    id: "isAlive",
    tag: "service",
    summary: "The process runs",
    security: "none",
    answers: { 200: { description: "It runs", schema: liveBody, example: { status: "alive", version: "1.0.0" } } },
    problems: [],
  },
  "GET /readyz": {
    id: "isReady",
    tag: "service",
    summary: "The process can do its work",
    security: "none",
    query: z.strictObject({ verbose: z.string().optional().describe("Show the single checks; needs no value") }),
    answers: {
      200: { description: "It can", schema: readyBody, example: { status: "ready" } },
      503: { description: "It cannot, now", schema: readyBody, example: { status: "not-ready" } },
    },
    problems: [],
  },
  "GET /openapi.json": {
    id: "getDocument",
    tag: "service",
    summary: "This document",
    security: "none",
    answers: { 200: { description: "OpenAPI 3.1", schema: z.record(z.string(), z.unknown()) } },
    problems: [],
  },
};
