import { GitspanError } from "../model/errors.ts";

/** Where the next page begins: after the row with this creation time (milliseconds) and id. */
export interface Cursor {
  createdAt: number;
  id: string;
}

const MAX_TIME = 8.64e15;

export function formatCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify([cursor.createdAt, cursor.id])).toString("base64url");
}

/** Throws `bad-request` for anything that `formatCursor` did not make. */
export function parseCursor(text: string): Cursor {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    if (Array.isArray(parts) && parts.length === 2) {
      const [createdAt, id] = parts as unknown[];
      const isTime = Number.isSafeInteger(createdAt) && Math.abs(Number(createdAt)) <= MAX_TIME;
      if (isTime && typeof id === "string" && !id.includes("\u0000")) return { createdAt: Number(createdAt), id };
    }
  } catch {
    // not JSON: the same answer as for wrong JSON
  }
  throw new GitspanError("bad-request", "the cursor is not one that this server gave", {
    hint: "Pass `next` of the page before unchanged, or leave the cursor out to begin again.",
  });
}
