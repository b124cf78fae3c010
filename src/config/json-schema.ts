import { z } from "zod";
import { KEY_DOCS } from "./key-docs.ts";
import { configurationSchema } from "./schema.ts";

export const SCHEMA_ID = "https://gitspan.dev/schemas/v1alpha1/bridge.json";

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** The JSON Schema of a configuration file, for editors: what it may hold, and what that means. */
export function configurationJsonSchema(): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(configurationSchema, { io: "input" });
  for (const { at, rows } of KEY_DOCS) {
    for (const [keys, text, absent] of rows) {
      for (const key of keys.split(", ")) {
        const found = schemaAt(schema, pathOf(at, key));
        if (found !== undefined) found.description = absent === undefined ? text : `${text}. Default: ${absent}.`;
      }
    }
  }
  return { $schema, $id: SCHEMA_ID, title: "gitspan configuration", ...schema };
}

/** What is said of one key: `undefined` when the schema has no such key. */
export function schemaAt(schema: JsonSchema, path: readonly string[]): JsonSchema | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return schema;
  for (const form of formsOf(schema)) {
    const next = key === "[]" ? itemsOf(form) : (form.properties?.[key] ?? form.additionalProperties);
    if (typeof next === "object") return schemaAt(next, rest);
  }
  return undefined;
}

/** Whether a map that has the key's parent must have the key. */
export function isRequired(schema: JsonSchema, path: readonly string[]): boolean {
  const parent = schemaAt(schema, path.slice(0, -1));
  const key = path.at(-1) ?? "";
  return parent !== undefined && formsOf(parent).some(({ required }) => required?.includes(key));
}

/** Paths of all keys that have a meaning of their own; names that people choose are `NAME`. */
export function keyPaths(schema: JsonSchema, path: readonly string[] = []): string[] {
  return formsOf(schema).flatMap((form) => {
    const named = Object.entries(form.properties ?? {}).flatMap(([key, inner]) => {
      const own = [...path, key];
      return [own.join("."), ...(typeof inner === "object" ? keyPaths(inner, own) : [])];
    });
    const inner = form.additionalProperties;
    const items = itemsOf(form);
    return [
      ...named,
      ...(typeof inner === "object" ? keyPaths(inner, [...path, "NAME"]) : []),
      ...(items === undefined ? [] : keyPaths(items, [...path, "[]"])),
    ];
  });
}

/** `apps.NAME.targets.ENVIRONMENT.files[]` and `at.image` as the steps from the root. */
export function pathOf(at: string, key: string): string[] {
  return `${at}.${key}`
    .replaceAll("[]", ".[]")
    .split(".")
    .filter((step) => step !== "");
}

function formsOf(schema: JsonSchema): JsonSchema[] {
  return [schema, ...(schema.anyOf ?? []).filter((form) => typeof form === "object")];
}

function itemsOf({ items }: JsonSchema): JsonSchema | undefined {
  return typeof items === "object" && !Array.isArray(items) ? items : undefined;
}
