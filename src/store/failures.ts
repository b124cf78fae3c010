import { GitspanError, isGitspanError, messageOf } from "../model/errors.ts";

// PostgreSQL's own classes, https://www.postgresql.org/docs/current/errcodes-appendix.html
const UNAVAILABLE_CLASSES = new Set(["08", "53", "57", "58"]);
const UNAVAILABLE_CODES = new Set([
  "25006", // read-only: a standby, or a primary that has just stepped down
  "25P03", // idle in transaction for too long
  "28000",
  "28P01",
  "3D000",
  "40001",
  "40P01",
  "55P03", // lock timeout
]);
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** True for a failure after which the same transaction, run again, may succeed at once. */
export function isConflict(error: unknown): boolean {
  const code = codeOf(error);
  return code === "40001" || code === "40P01";
}

export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/**
 * A driver's or server's error as ours: whatever PostgreSQL did not answer as a fault of the statement itself is
 * `store-unavailable`, transient; a fault of the statement is ours and `internal`.
 */
export function storeFailure(error: unknown): GitspanError {
  if (isGitspanError(error)) return error;
  const code = codeOf(error);
  const isServerAnswer = code !== undefined && SQLSTATE.test(code) && !code.startsWith("E");
  if (isServerAnswer && !UNAVAILABLE_CLASSES.has(code.slice(0, 2)) && !UNAVAILABLE_CODES.has(code)) {
    return new GitspanError("internal", `the database refused a statement (${code}): ${messageOf(error)}`, {
      hint: "This is a defect of gitspan, or the tables were changed by hand.",
      cause: error,
    });
  }
  return new GitspanError("store-unavailable", `the database is not available: ${messageOf(error)}`, {
    hint: hintFor(code),
    cause: error,
    transient: true,
  });
}

function hintFor(code: string | undefined): string {
  if (code === "28000" || code === "28P01") return "Check user and password of the database.";
  if (code === "3D000") return "Create the database named in the connection string.";
  if (code === "53300") return "Raise max_connections of the server or lower the pool's size.";
  if (code === "53100") return "The database server's disk is full.";
  return "Check that PostgreSQL is running and can be reached from here; the call may be repeated.";
}

/** Runs it; whatever it throws comes out as a GitspanError. */
export async function asStoreCall<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storeFailure(error);
  }
}
