import type { ErrorCode } from "../model/errors.ts";
import { GitspanError } from "../model/errors.ts";

/** The error codes in which trouble with one kind of server is told. */
export interface Trouble {
  /** Nothing, or nothing in time, came from it. */
  unreachable: ErrorCode;
  /** What came makes no sense. */
  protocol: ErrorCode;
}

/** The version or page asked for is no longer kept: list again. */
export class ExpiredError extends GitspanError {
  constructor(trouble: Trouble, message: string) {
    super(trouble.protocol, message, { transient: true });
  }
}

export const KUBERNETES: Trouble = { unreachable: "kubernetes-unavailable", protocol: "kubernetes-protocol" };
