import type { Agent as HttpAgent } from "node:http";

/** The one for the address's scheme is used; a proxying agent may be both. */
export interface Agents {
  http?: HttpAgent;
  https?: HttpAgent;
}

/** How axios makes every request that carries a credential of ours; `largest` bounds the answer, in bytes. */
export function guardedRequest(agents: Agents, largest: number) {
  return {
    maxContentLength: largest,
    // A token must not follow a redirect to somebody else.
    maxRedirects: 0,
    proxy: false as const,
    validateStatus: () => true,
    ...(agents.http === undefined ? {} : { httpAgent: agents.http }),
    ...(agents.https === undefined ? {} : { httpsAgent: agents.https }),
  };
}
