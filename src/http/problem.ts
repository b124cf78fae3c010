import { type ErrorCode, GitspanError } from "../model/errors.ts";
import { PROBLEMS } from "./problem-table.ts";

export const PROBLEM_TYPE = "application/problem+json; charset=utf-8";
const DOCS = "https://gitspan.dev/problems/";
const DEFAULT_RETRY_MS = 5_000;

/** One field of the request that is wrong: `images[0].digest`. */
export interface FieldError {
  path: string;
  message: string;
}

/** A request that is refused for what stands in it, field by field. */
export class InvalidRequest extends GitspanError {
  readonly errors: readonly FieldError[];

  constructor(what: string, errors: readonly FieldError[], hint?: string) {
    const [first] = errors;
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
    const detail = first === undefined ? "" : `: ${first.path === "" ? "" : `${first.path} `}${first.message}${more}`;
    super("bad-request", `${what} is not valid${detail}`, { hint });
    this.errors = errors;
  }
}

/** RFC 9457, with `code` for programs and `hint` for people. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail: string;
  instance: string;
  requestId: string;
  hint?: string;
  errors?: readonly FieldError[];
}

export interface ProblemContext {
  /** Path of the request, without its query. */
  instance: string;
  requestId: string;
}

/** What the caller is told. Server errors say only what they are: their messages may name hosts, files or queries. */
export function problemOf(error: GitspanError, context: ProblemContext): Problem {
  const { status, title } = PROBLEMS[error.code];
  const common = { type: `${DOCS}${error.code}`, title, status, code: error.code };
  if (!isForCaller(error)) {
    const detail = `${title}. The server's log has the reason under request ${context.requestId}.`;
    return { ...common, detail, ...context };
  }
  return {
    ...common,
    detail: error.message,
    ...context,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error instanceof InvalidRequest ? { errors: error.errors } : {}),
  };
}

/** Headers that belong to the status: when to come back, and how to authenticate. */
export function problemHeaders(error: GitspanError): Record<string, string> {
  const { status } = PROBLEMS[error.code];
  if (status === 401) return { "www-authenticate": 'Bearer realm="gitspan"' };
  if (status !== 429 && status !== 503) return {};
  return { "retry-after": String(Math.max(1, Math.ceil((error.retryAfterMs ?? DEFAULT_RETRY_MS) / 1_000))) };
}

const TOLD: ReadonlySet<ErrorCode> = new Set(["shutting-down", "busy", "targets-unknown"]);

function isForCaller(error: GitspanError): boolean {
  return PROBLEMS[error.code].status < 500 || TOLD.has(error.code);
}
