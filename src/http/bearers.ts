import type { FastifyRequest } from "fastify";
import type { Caller } from "../model/access.ts";
import type { Clock } from "../model/ambient.ts";
import type { Artifact, BuildReport } from "../model/build.ts";
import { GitspanError } from "../model/errors.ts";
import { withDeadline } from "./deadline.ts";

/** What a task says of its own run: it is compared, never believed. */
export interface RunClaim {
  run?: { namespace: string; name: string; uid: string };
  images?: readonly Omit<Artifact, "name">[];
}

/** A caller whose token somebody else has made. */
export interface Bearer extends Caller {
  /** The caller is a task of a run: what the run has built is read from the cluster, not from the request. */
  report?: (claim: RunClaim, signal: AbortSignal) => Promise<BuildReport>;
  /** Uid of the run that the caller is inside of: it goes on for as long as the caller waits. */
  runUid?: string | undefined;
  /** What the token says of the source that was built. Throws `Refused` when the report says otherwise. */
  vouches?: (source: BuildReport["source"]) => void;
}

/** Knows the tokens of service accounts and of other CIs. */
export interface Bearers {
  /**
   * Undefined when nobody here can know such a token. `cluster` is the name that the request gives. Errors: `Refused`,
   * `bad-request` when the cluster is left open, and those of whoever is asked about the token.
   */
  identify(token: string, request: { cluster: string | undefined }, signal: AbortSignal): Promise<Bearer | undefined>;
}

const CLUSTER_HEADER = "gitspan-cluster";
const CLUSTER = /^[a-z0-9-]{1,63}$/;
const IDENTIFY_MS = 10_000;
const RETRY_MS = 1_000;

/** Who sent the request, if its token is of a kind that is known here. Errors as `Bearers`; transient when it takes too long. */
export async function bearerOf(
  deps: { bearers?: Bearers; clock: Clock },
  request: FastifyRequest,
  token: string,
): Promise<Bearer | undefined> {
  const { bearers } = deps;
  if (bearers === undefined) return undefined;
  const cluster = request.headers[CLUSTER_HEADER];
  if (cluster !== undefined && (typeof cluster !== "string" || !CLUSTER.test(cluster))) {
    throw new GitspanError("bad-request", "the header Gitspan-Cluster is not the name of a cluster");
  }
  return await withDeadline(deps.clock, { ms: IDENTIFY_MS, late }, (signal) =>
    bearers.identify(token, { cluster }, signal),
  );
}

function late(): GitspanError {
  return new GitspanError("kubernetes-unavailable", "a token could not be checked in time", {
    transient: true,
    retryAfterMs: RETRY_MS,
  });
}
