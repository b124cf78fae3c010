import { z } from "zod";
import type { ErrorCode } from "../../model/errors.ts";
import { buildReportBody, runClaimBody } from "../build-report.ts";
import { PROBLEMS } from "../problem-table.ts";
import { buildBody, deliveryBody, feedEventBody, holdBody, problemBody, targetBody } from "../responses.ts";
import { problemExample } from "./examples.ts";
import type { Operation, Operations } from "./operation.ts";

type Json = Record<string, unknown>;

/** Any request may get these. */
const ANYWHERE: readonly ErrorCode[] = ["bad-request", "internal", "shutting-down"];

const NAMED: Readonly<Record<string, z.ZodType>> = {
  BuildReport: buildReportBody,
  RunClaim: runClaimBody,
  Build: buildBody,
  Delivery: deliveryBody,
  FeedEvent: feedEventBody,
  Target: targetBody,
  Hold: holdBody,
  Problem: problemBody,
};

const SECURITY: Readonly<Record<Operation["security"], Json[] | undefined>> = {
  none: [],
  token: [{ token: [] }],
  "token-or-signature": [{ token: [] }, { signature: [], signatureKey: [] }],
  sender: [{}, { token: [] }, { basic: [] }, { signature: [], signatureKey: [] }],
};

/** The OpenAPI 3.1 document of these operations, made of the schemas that requests are parsed with. */
export function makeDocument(operations: Operations, version: string): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { ...OPTIONS, uri: (id) => `#/components/schemas/${id}` });
  const schemaOf = (schema: z.ZodType): Json => {
    if (schema instanceof z.ZodUnion) {
      return { anyOf: schema.options.map((option) => (option instanceof z.ZodType ? schemaOf(option) : {})) };
    }
    const id = registry.get(schema)?.id;
    return id === undefined ? plain(z.toJSONSchema(schema, OPTIONS)) : { $ref: `#/components/schemas/${id}` };
  };
  const paths: Record<string, Json> = {};
  for (const [route, operation] of Object.entries(operations)) {
    const [method = "", url = ""] = route.split(" ");
    const path = url.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationObject(operation, schemaOf) };
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "gitspan",
      version,
      description: "The bridge between CI and Argo CD. Words and rules are in docs/http.md.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: ["builds", "deliveries", "targets", "events", "service"].map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, plain(schema)])),
      securitySchemes,
    },
  };
}

const OPTIONS = { io: "input", unrepresentable: "any", target: "draft-2020-12" } as const;

const securitySchemes = {
  token: {
    type: "http",
    scheme: "bearer",
    description: "Made by `gitspan token create`; or a service account's, or another CI's",
  },
  signature: {
    type: "apiKey",
    in: "header",
    name: "Gitspan-Signature",
    description: "t=<unix seconds>,v1=<hex HMAC-SHA-256 of `<t>.<raw body>`>",
  },
  signatureKey: { type: "apiKey", in: "header", name: "Gitspan-Key", description: "Name of the key that signed" },
  basic: { type: "http", scheme: "basic", description: "What the sink's address has before its host" },
};

function operationObject(operation: Operation, schemaOf: (schema: z.ZodType) => Json): Json {
  const { id, tag, summary, description, body, answers } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: SECURITY[operation.security],
    parameters: [...pathParameters(operation), ...queryParameters(operation), ...headerParameters(operation, schemaOf)],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { "application/json": { schema: schemaOf(body.schema), example: body.example } },
          },
        }),
    responses: {
      ...problemsByStatus(operation),
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [status, answerObject(answer, schemaOf)]),
      ),
    },
  };
}

function answerObject(answer: Operation["answers"][number], schemaOf: (schema: z.ZodType) => Json): Json {
  const { description, schema, type = "application/json", headers, example } = answer;
  const isEmpty = schema === undefined && type === "application/json";
  const content = {
    schema: schema === undefined ? { type: "string" } : schemaOf(schema),
    ...(example === undefined ? {} : { example }),
  };
  return {
    description,
    ...(headers === undefined
      ? {}
      : {
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, text]) => [name, { description: text, schema: { type: "string" } }]),
          ),
        }),
    ...(isEmpty ? {} : { content: { [type]: content } }),
  };
}

/** One answer per status, that says which codes it may carry. */
function problemsByStatus({ problems, security }: Operation): Record<string, Json> {
  const codes = new Set([...ANYWHERE, ...problems, ...(security === "none" ? [] : NEEDS_CALLER)]);
  const byStatus = Map.groupBy(codes, (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [
      String(status),
      {
        description: same.map((code) => `${code}: ${PROBLEMS[code].title}`).join("; "),
        content: {
          "application/problem+json": {
            schema: { $ref: "#/components/schemas/Problem" },
            ...(status === problemExample.status ? { example: problemExample } : {}),
          },
        },
      },
    ]),
  );
}

const NEEDS_CALLER: readonly ErrorCode[] = [
  "unauthenticated",
  "forbidden",
  "run-not-ready",
  "rate-limited",
  "store-unavailable",
  "kubernetes-unavailable",
  "kubernetes-forbidden",
  "issuer-unavailable",
];

function pathParameters({ path = {} }: Operation): Json[] {
  return Object.entries(path).map(([name, description]) => ({
    name,
    in: "path",
    required: true,
    description,
    schema: { type: "string" },
  }));
}

function queryParameters({ query }: Operation): Json[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(query, OPTIONS);
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema,
  }));
}

function headerParameters({ headers = {} }: Operation, schemaOf: (schema: z.ZodType) => Json): Json[] {
  return Object.entries(headers).map(([name, { schema, description }]) => ({
    name,
    in: "header",
    required: false,
    description,
    schema: schemaOf(schema),
  }));
}

/** Without what stands for a document of its own. */
function plain(schema: object): Json {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$schema" && key !== "$id"));
}
