/** The schemas of the real definitions. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { Ajv } from "ajv";
import { get, isRecord, record, type Value } from "./catalog.ts";

const GOLDEN = path.join(import.meta.dirname, "../golden/tasks/crds");

export interface Schema {
  apiVersion: string;
  /** Problems; none when the object is one that the API server takes. */
  check(object: unknown): string[];
}

export function schemaOf(kind: string): Schema {
  const definition = definitionOf(kind);
  return { apiVersion: String(definition["apiVersion"]), check: checker(record(definition["schema"])) };
}

/** Of what stands in a Pipeline, whose own schema leaves it open. */
export function taskSpecSchema(): (spec: unknown) => string[] {
  return checker(record(get(definitionOf("Task"), "schema", "properties", "spec")));
}

function definitionOf(kind: string): Value {
  const bytes = gunzipSync(readFileSync(path.join(GOLDEN, `${kind}.json.gz`)));
  const definition: unknown = JSON.parse(bytes.toString());
  return record(definition);
}

function checker(schema: Value): (object: unknown) => string[] {
  const ajv = new Ajv({ strict: false, allErrors: true, formats: { int32: true, int64: true, "date-time": true } });
  const validate = ajv.compile(closed(schema));
  return (object) => {
    validate(object);
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  };
}

/** The server forgets fields that it does not know, so here they are problems. `metadata` is the server's own. */
function closed(schema: Value): Value {
  const properties = schema["properties"];
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closedWithin(key, value)]));
  const isOpen =
    !isRecord(properties) ||
    "additionalProperties" in schema ||
    schema["x-kubernetes-preserve-unknown-fields"] === true;
  return isOpen ? inner : { ...inner, additionalProperties: false };
}

function closedWithin(key: string, value: unknown): unknown {
  if (key === "properties") {
    return Object.fromEntries(Object.entries(record(value)).map(([name, one]) => [name, closed(record(one))]));
  }
  return (key === "items" || key === "additionalProperties") && isRecord(value) ? closed(value) : value;
}
