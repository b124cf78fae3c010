import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { makeDocument } from "../../src/http/openapi/document.ts";
import { OPERATIONS } from "../../src/http/openapi/operations.ts";

type Json = Record<string, unknown>;
interface Described {
  responses: Record<string, { content?: Record<string, { schema: Json }> }>;
}

export const DOCUMENT = makeDocument(OPERATIONS, "1.2.3") as Json & {
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, Json>; securitySchemes: Record<string, Json> };
};

const validators = new Map<unknown, z.ZodType>();

/** Of a schema of the document; what it refers to is brought along. */
export function validatorOf(schema: Json): z.ZodType {
  const known = validators.get(schema);
  if (known !== undefined) return known;
  const text = JSON.stringify({ ...schema, $defs: DOCUMENT.components.schemas });
  const made = z.fromJSONSchema(JSON.parse(text.replaceAll("#/components/schemas/", "#/$defs/")) as Json);
  validators.set(schema, made);
  return made;
}

/**
 * Holds every answer of the application against the document. A status, media type or body that is not described makes
 * the application fail when it is closed, so whatever a test asks for keeps the document honest.
 */
export function expectDocumented(app: FastifyInstance): void {
  const wrong = new Set<string>();
  app.addHook("onSend", async (request, reply, payload) => {
    const found = problemOf(request, reply.statusCode, String(reply.getHeader("content-type") ?? ""), payload);
    if (found !== undefined) wrong.add(`${request.method} ${request.url.slice(0, 100)} ${reply.statusCode}: ${found}`);
  });
  app.addHook("onClose", async () => {
    if (wrong.size > 0) throw new Error(`answers that /openapi.json does not describe:\n${[...wrong].join("\n")}`);
  });
}

function problemOf(request: FastifyRequest, status: number, type: string, payload: unknown): string | undefined {
  // HEAD is not described: it is GET without the body. Nor is what has no route.
  const { url } = request.routeOptions;
  if (url === undefined || request.method === "HEAD") return undefined;
  const operation = DOCUMENT.paths[url.replaceAll(/:(\w+)/g, "{$1}")]?.[request.method.toLowerCase()];
  if (operation === undefined) return "the route is not there";
  const answer = operation.responses[String(status)];
  if (answer === undefined) return "the status is not there";
  if (answer.content === undefined) return payload ? "a body, where there is none" : undefined;
  const described = answer.content[type.split(";")[0] ?? ""];
  if (described === undefined) return `the type ${type} is not there`;
  const result = validatorOf(described.schema).safeParse(JSON.parse(String(payload)));
  return result.success ? undefined : z.prettifyError(result.error);
}
