import { GitspanError } from "../model/errors.ts";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** An id from a path. Throws `not-found` for what cannot be one, so that the store is never asked for nonsense. */
export function idOf(text: string, what: "build" | "delivery" | "hold"): string {
  const id = text.toLowerCase();
  if (!UUID.test(id)) throw new GitspanError("not-found", `there is no such ${what}`);
  return id;
}
