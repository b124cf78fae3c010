/** What is shipped under tasks/, as objects, and the places in them that tests look at. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseAllDocuments } from "yaml";

export const ROOT = path.join(import.meta.dirname, "../../tasks");

export type Value = Record<string, unknown>;

export interface Shipped {
  /** Relative to tasks/. */
  file: string;
  object: Value;
}

/** Every YAML document, in the order of the files' names. Throws for what is no YAML, with a key twice included. */
export function shipped(): Shipped[] {
  const files = readdirSync(ROOT, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".yaml"));
  return files.toSorted().flatMap((file) => documentsIn(file).map((object) => ({ file, object })));
}

export function documentsIn(file: string): Value[] {
  return parseAllDocuments(readFileSync(path.join(ROOT, file), "utf8"), { uniqueKeys: true }).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw new Error(`${file}: ${error.message}`);
    const object: unknown = document.toJS();
    return record(object);
  });
}

export function ofKind(kind: string): Shipped[] {
  return shipped().filter(({ object }) => object["kind"] === kind);
}

export function record(value: unknown): Value {
  if (!isRecord(value)) throw new Error(`not an object: ${JSON.stringify(value)}`);
  return value;
}

export function isRecord(value: unknown): value is Value {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Nothing for a field that is absent. */
export function list(value: unknown): Value[] {
  return Array.isArray(value) ? value.map(record) : [];
}

export function text(value: unknown): string {
  if (typeof value !== "string") throw new Error(`not a text: ${JSON.stringify(value)}`);
  return value;
}

export function get(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce((inner, key) => (isRecord(inner) ? inner[key] : undefined), value);
}

export function nameOf(object: unknown): string {
  return text(get(object, "metadata", "name") ?? get(object, "name"));
}

export interface Spec {
  /** For people: file and Task. */
  title: string;
  spec: Value;
}

/** Tasks of their own and those that stand in a Pipeline. */
export function taskSpecs(): Spec[] {
  const whole = ofKind("Task").map(({ file, object }) => ({ title: file, spec: record(object["spec"]) }));
  const inline = ofKind("Pipeline").flatMap(({ file, object }) =>
    [...list(get(object, "spec", "tasks")), ...list(get(object, "spec", "finally"))]
      .filter((task) => isRecord(task["taskSpec"]))
      .map((task) => ({ title: `${file} ${nameOf(task)}`, spec: record(task["taskSpec"]) })),
  );
  return [...whole, ...inline];
}

/** All texts within a value. */
export function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isRecord(value) ? Object.values(value).flatMap(textsIn) : [];
}

/** Names in `$(KIND.NAME)`, `$(KIND.NAME.path)` and `$(KIND.NAME[*])` within a value. */
export function used(kind: string, value: unknown): Set<string> {
  const pattern = new RegExp(String.raw`\$\(${kind.replaceAll(".", String.raw`\.`)}\.([\w-]+)`, "g");
  return new Set(textsIn(value).flatMap((one) => [...one.matchAll(pattern)].map((match) => match[1] ?? "")));
}

export function namesOf(value: unknown): Set<string> {
  return new Set(list(value).map(nameOf));
}
