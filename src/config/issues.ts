import type { z } from "zod";
import type { ConfigurationDocument, KeyPath } from "./document.ts";
import { didYouMean } from "./nearest.ts";
import type { ConfigurationProblem } from "./problems.ts";
import { knownKeys } from "./schema.ts";

type Issue = z.core.$ZodIssue;

/** Keys of the design that do not work yet: an error, so that nobody believes that they are in force. */
const NOT_YET = new Set([
  ..."after soak approval freeze write forge".split(" "),
  ..."argocdSource notifications sourceCredentials".split(" "),
]);

const SECRET = /^(?:token|password|passwd|secret|credentials?|privateKey|apiKey|bearerToken|pat)$/i;

/** What the schema found, as problems with places in the file. */
export function problemsOf(document: ConfigurationDocument, issues: readonly Issue[]): ConfigurationProblem[] {
  return issues.flatMap((issue) => problemsOfIssue(document, issue, issue.path));
}

function problemsOfIssue(document: ConfigurationDocument, issue: Issue, path: KeyPath): ConfigurationProblem[] {
  const invalid = (message: string, hint?: string): ConfigurationProblem[] => [
    { code: "config-invalid", at: document.at(path), message: withPath(path, message), hint },
  ];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(document, path, key));
    case "invalid_key":
      return [invalidKey(document, path, issue.issues[0]?.message ?? "is not allowed")];
    case "invalid_type":
      // The library's own words begin otherwise; ours say more than the type.
      if (issue.message.startsWith("must")) return invalid(issue.message);
      return invalid(...typeProblem(issue.expected, issue.input));
    case "invalid_value":
      return invalid(`must be ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`);
    case "invalid_union": {
      // The only unions are "one word, or a map": a map is judged as the map.
      const branch = typeof issue.input === "object" && issue.input !== null ? issue.errors.at(-1) : undefined;
      if (branch !== undefined)
        return branch.flatMap((inner) => problemsOfIssue(document, inner, [...path, ...inner.path]));
      return invalid("must be in-cluster, or a map with kubeconfigFile");
    }
    case "custom":
      return invalid(issue.message, typeof issue.params?.hint === "string" ? issue.params.hint : undefined);
    default:
      return invalid(issue.message);
  }
}

function unknownKey(document: ConfigurationDocument, path: KeyPath, key: string): ConfigurationProblem {
  const at = document.atKey([...path, key]);
  const own = [...path, key];
  const known = knownKeys(path);
  if (NOT_YET.has(key)) {
    return { code: "config-not-supported", at, message: withPath(own, "not supported yet"), hint: "remove it" };
  }
  const references = known.filter((name) => name === `${key}File` || name === `${key}Env`);
  if (references.length > 0 || SECRET.test(key)) {
    const usable = references.length > 0 ? references : known.filter((name) => /^token(?:File|Env)$/.test(name));
    const hint =
      usable.length > 0 ? `use ${usable.join(" or ")}` : "secrets are read from files or environment variables";
    return { code: "config-invalid", at, message: withPath(own, "must not be written into this file itself"), hint };
  }
  return { code: "config-unknown-key", at, message: withPath(own, "unknown key"), hint: didYouMean(key, known) };
}

function invalidKey(document: ConfigurationDocument, path: KeyPath, message: string): ConfigurationProblem {
  return { code: "config-invalid", at: document.atKey(path), message: withPath(path, message) };
}

const EXPECTED: Partial<Record<string, string>> = {
  object: "a map",
  record: "a map",
  array: "a list",
  string: "a text",
  boolean: "true or false",
};

function typeProblem(expected: string, input: unknown): [message: string, hint?: string] {
  if (input === undefined) return ["is missing"];
  const found =
    input === null
      ? "nothing"
      : Array.isArray(input)
        ? "a list"
        : typeof input === "object"
          ? "a map"
          : `a ${typeof input}`;
  const quotable = expected === "string" && (typeof input === "number" || typeof input === "boolean");
  return [`must be ${EXPECTED[expected] ?? expected}, found ${found}`, quotable ? "put it in quotes" : undefined];
}

/** `access[0].actions: must be a list` */
export function withPath(path: KeyPath, message: string): string {
  const parts = path.map((key, index) => {
    if (typeof key === "number") return `[${key}]`;
    const text = /^[\w-]+$/.test(String(key)) ? String(key) : JSON.stringify(String(key));
    return index === 0 ? text : `.${text}`;
  });
  return parts.length === 0 ? `the configuration ${message}` : `${parts.join("")}: ${message}`;
}
