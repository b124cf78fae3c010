/** Readers of JSON that somebody else wrote: a missing or odd field is empty, never an exception. */

export type Untrusted = Record<string, unknown>;

const NOTHING: Untrusted = Object.freeze({});

/** The object itself, or an empty one. */
export function record(value: unknown): Untrusted {
  return isRecord(value) ? value : NOTHING;
}

export function isRecord(value: unknown): value is Untrusted {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The string, cut to `limit` characters, or "". */
export function text(value: unknown, limit = 500): string {
  return typeof value === "string" ? value.slice(0, limit) : "";
}

/** The string, or undefined when it is missing or empty. */
export function optionalText(value: unknown, limit?: number): string | undefined {
  const read = text(value, limit);
  return read === "" ? undefined : read;
}

/** The strings of a list that are not empty. */
export function texts(value: unknown): string[] {
  return list(value)
    .map((item) => text(item))
    .filter((item) => item !== "");
}

export function count(value: unknown): number {
  const read = typeof value === "string" ? Number(value) : value;
  return typeof read === "number" && Number.isSafeInteger(read) && read > 0 ? read : 0;
}
