/** CEL with the functions that Tekton Triggers adds and that the shipped expressions use. Tekton's own evaluator is the judge (test/e2e/tekton). */
import { Environment } from "@marcbachmann/cel-js";
import type { Value } from "./catalog.ts";

export interface CelInput {
  body: Value;
  header: Readonly<Record<string, readonly string[]>>;
  extensions: Value;
}

const environment = new Environment()
  .registerVariable("body", "map")
  .registerVariable("header", "map")
  .registerVariable("extensions", "map")
  .registerFunction("string.truncate(int): string", (text: string, length: bigint) => text.slice(0, Number(length)))
  .registerFunction("string.translate(string, string): string", (text: string, from: string, to: string) =>
    text.replaceAll(new RegExp(from, "g"), to),
  );

/** Throws for an expression that is wrong or reads what is not there: Triggers stops an event then. */
export function evaluate(expression: string, input: CelInput): unknown {
  return environment.evaluate(expression, { ...input });
}
