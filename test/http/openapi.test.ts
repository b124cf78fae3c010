import { afterAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { OPERATIONS } from "../../src/http/openapi/operations.ts";
import { DOCUMENT, validatorOf } from "./documented.ts";
import { startApp } from "./requests.ts";

type Json = Record<string, unknown>;
interface Parameter {
  name: string;
  in: string;
  required: boolean;
  schema: Json;
}
interface Content {
  schema: Json;
  example?: unknown;
}
interface Operation {
  operationId: string;
  summary: string;
  security: Record<string, string[]>[];
  parameters: Parameter[];
  requestBody?: { required: boolean; content: Record<string, Content> };
  responses: Record<string, { description: string; content?: Record<string, Content> }>;
}

const test = startApp();
afterAll(() => test.app.close());

const operations = Object.entries(DOCUMENT.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    path,
    method,
    name: `${method.toUpperCase()} ${path}`,
    operation: operation as unknown as Operation,
  })),
);

/** Everything in a JSON value that is an object or a list, with where it is. */
function* walk(value: unknown, path = "#"): Generator<[string, Json]> {
  if (typeof value !== "object" || value === null) return;
  yield [path, value as Json];
  for (const [key, inner] of Object.entries(value)) yield* walk(inner, `${path}/${key}`);
}

describe("/openapi.json", () => {
  it("is served without a token, as OpenAPI 3.1", async () => {
    const response = await test.app.inject("/openapi.json");
    expect(response.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(response.json()).toEqual(JSON.parse(JSON.stringify(DOCUMENT)));
    expect(DOCUMENT).toMatchObject({
      openapi: expect.stringMatching(/^3\.1\.\d+$/),
      info: { title: "gitspan", version: "1.2.3" },
    });
  });

  it("has every route of the application, and no other", async () => {
    await test.app.ready();
    const tree = test.app.printRoutes({ commonPrefix: false });
    expect(registered(tree).toSorted()).toEqual(Object.keys(OPERATIONS).toSorted());
  });

  it("refers only to what is there, and to all that is there", () => {
    const wanted = [...walk(DOCUMENT)].flatMap(([, value]) =>
      typeof value["$ref"] === "string" ? [value["$ref"]] : [],
    );
    // A FeedEvent is the data of a stream, whose media type has no schema for it.
    const used = new Set([...wanted, "#/components/schemas/FeedEvent"]);
    expect([...used].toSorted()).toEqual(
      Object.keys(DOCUMENT.components.schemas)
        .map((name) => `#/components/schemas/${name}`)
        .toSorted(),
    );
  });

  it("has no identifiers or dialects of its own in its schemas", () => {
    const own = [...walk(DOCUMENT)].filter(([, value]) => "$schema" in value || "$id" in value || "$defs" in value);
    expect(own.map(([path]) => path)).toEqual([]);
  });

  it("gives every operation an id of its own", () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z]+$/);
  });
});

describe.each(operations)("$name", ({ path, method, operation }) => {
  it("has the parts that OpenAPI asks for", () => {
    expect(operation.summary).not.toBe("");
    expect(Object.keys(operation.responses)).toContainEqual(expect.stringMatching(/^2\d\d$/));
    for (const [status, response] of Object.entries(operation.responses)) {
      expect(status).toMatch(/^[2345]\d\d$/);
      expect(response.description).not.toBe("");
    }
    expect(method === "get" && operation.requestBody !== undefined).toBe(false);
    for (const requirement of operation.security) {
      for (const scheme of Object.keys(requirement)) expect(DOCUMENT.components.securitySchemes).toHaveProperty(scheme);
    }
  });

  it("names each part of its path, and each parameter once", () => {
    const inPath = operation.parameters.filter((parameter) => parameter.in === "path");
    const wanted = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    expect(inPath.map(({ name }) => name)).toEqual(wanted);
    for (const parameter of inPath) expect(parameter.required).toBe(true);
    const keys = operation.parameters.map((parameter) => `${parameter.in} ${parameter.name.toLowerCase()}`);
    expect(new Set(keys).size).toBe(keys.length);
    for (const { schema } of operation.parameters) expect(() => validatorOf(schema)).not.toThrow();
  });

  it("has schemas that can be read, and examples that fit them", () => {
    const bodies = [operation.requestBody, ...Object.values(operation.responses)];
    for (const [type, { schema, example }] of bodies.flatMap((body) => Object.entries(body?.content ?? {}))) {
      const validator: z.ZodType = validatorOf(schema);
      if (example === undefined) continue;
      const result = validator.safeParse(example);
      expect(result.error, `${type} ${JSON.stringify(example)}`).toBeUndefined();
    }
  });

  it("has an example of what is sent that the route itself takes", () => {
    const example = operation.requestBody?.content["application/json"]?.example;
    const url = path.replaceAll(/\{(\w+)\}/g, ":$1");
    const own = OPERATIONS[`${method.toUpperCase()} ${url}`]?.body;
    expect(own?.schema.safeParse(example).error).toBeUndefined();
  });
});

/** `GET /v1/builds/:id` of fastify's drawing of a tree. */
function registered(tree: string): string[] {
  const parts: string[] = [];
  const found: string[] = [];
  for (const line of tree.split("\n")) {
    const match = /^(.*?)(?:├──|└──) (\S+)(?: \(([A-Z, ]+)\))?$/.exec(line);
    if (match === null) continue;
    const [, indent = "", part = "", methods = ""] = match;
    const depth = indent.length / 4;
    parts.splice(depth, Number.POSITIVE_INFINITY, part);
    for (const method of methods.split(", ")) {
      if (method !== "" && method !== "HEAD") found.push(`${method} ${parts.slice(0, depth + 1).join("")}`);
    }
  }
  return found;
}
