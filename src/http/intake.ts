import type { Accepted, AcceptRequest } from "../delivery/accept.ts";

/** Takes a parsed and authenticated report in; resolves when it is durable. Errors as in `delivery/accept.ts`. */
export interface Intake {
  accept(request: AcceptRequest, signal: AbortSignal): Promise<Accepted>;
}
