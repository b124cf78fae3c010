import { z } from "zod";
import { type FieldError, InvalidRequest } from "./problem.ts";

const MAX_ERRORS = 20;

/** Parses or throws an InvalidRequest that names every wrong field, at most twenty of them. */
export function parseWith<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new InvalidRequest(what, result.error.issues.flatMap(fieldErrors).slice(0, MAX_ERRORS));
}

/** `images[0].digest` */
function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}

/**
 * Text that is safe in a commit message, a log line and PostgreSQL's jsonb: no control characters (so no line breaks,
 * which would forge trailers, and no NUL, which jsonb refuses), no direction overrides, no broken surrogates.
 */
function isPlainText(text: string): boolean {
  return text.isWellFormed() && !/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(text);
}

/** A text of 1 to `max` plain characters. */
export function plainText(max: number): z.ZodString {
  return z
    .string()
    .min(1, "must not be empty")
    .max(max, `must have at most ${max} characters`)
    .refine(isPlainText, "must not have control characters");
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({ path: formatPath([...issue.path, key]), message: "is not a known key" }));
    case "invalid_type":
      return [{ path: formatPath(issue.path), message: wrongType(issue) }];
    default:
      return [{ path: formatPath(issue.path), message: issue.message }];
  }
}

function wrongType(issue: z.core.$ZodIssueInvalidType): string {
  // zod says in its message alone that the key was not there at all.
  if (issue.message.endsWith("received undefined")) return "is required";
  const article = /^[aeiou]/.test(issue.expected) ? "an" : "a";
  return `must be ${article} ${issue.expected}`;
}
