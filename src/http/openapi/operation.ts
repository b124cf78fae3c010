import type { z } from "zod";
import type { ErrorCode } from "../../model/errors.ts";

/** One successful answer. */
interface Answer {
  description: string;
  schema?: z.ZodType;
  /** Default `application/json`. */
  type?: string;
  headers?: Readonly<Record<string, string>>;
  example?: unknown;
}

/** What `/openapi.json` says of one route; the schemas are the ones that the route parses with. */
export interface Operation {
  id: string;
  tag: "builds" | "deliveries" | "targets" | "events" | "service";
  summary: string;
  description?: string;
  /** How the caller is known: `sender` is for CI systems, whose events may need nobody to be known. */
  security: "none" | "token" | "token-or-signature" | "sender";
  /** Parts of the path and what they are. */
  path?: Readonly<Record<string, string>>;
  query?: z.ZodObject;
  headers?: Readonly<Record<string, { schema: z.ZodType; description: string }>>;
  body?: { schema: z.ZodType; example: unknown };
  answers: Readonly<Record<number, Answer>>;
  /** Beside those that every request may get. */
  problems: readonly ErrorCode[];
}

/** `GET /v1/builds/:id` to what it does. */
export type Operations = Readonly<Record<string, Operation>>;
