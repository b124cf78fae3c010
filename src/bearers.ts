import type { Bearer, Bearers } from "./http/bearers.ts";
import { GitspanError } from "./model/errors.ts";
import { unverified } from "./model/json-web-token.ts";
import type { Issuer } from "./oidc/issuer.ts";
import type { ServiceAccounts } from "./tekton/cluster.ts";

/** Who may know a token, by the configuration in force now. */
export interface TokenSources {
  /** By the cluster's name. */
  clusters(): ReadonlyMap<string, ServiceAccounts>;
  /** Another CI, by what its tokens say of their issuer. */
  issuer(url: string): Issuer | undefined;
}

/** Finds who can know a token that is not ours, by what it says of itself; whoever that is checks it. */
export function makeBearers(sources: TokenSources): Bearers {
  return {
    async identify(token, request, signal) {
      const claims = unverified(token);
      if (claims === undefined) return undefined;
      const issuer = sources.issuer(claims.issuer);
      if (issuer !== undefined) return { ...(await issuer.identify(token)), groups: [] };
      const clusters = sources.clusters();
      if (clusters.size === 0) return undefined;
      const [cluster, accounts] = clusterOf(clusters, request.cluster);
      const caller = await accounts.identify({ token, claims }, signal);
      const bearer: Bearer = {
        subject: subjectOf(caller, clusters.size > 1 ? cluster : undefined),
        groups: [],
        runUid: caller.run?.uid,
        report: (claim, reporting) => accounts.report(caller, claim, reporting),
      };
      return bearer;
    },
  };
}

/** Every cluster may have a namespace and an account of the same names, so with several of them the subject says which. */
function subjectOf(caller: { namespace: string; account: string }, cluster: string | undefined): string {
  const prefix = cluster === undefined ? "" : `${cluster}/`;
  return `serviceaccount:${prefix}${caller.namespace}/${caller.account}`;
}

function clusterOf(
  clusters: ReadonlyMap<string, ServiceAccounts>,
  name: string | undefined,
): readonly [string, ServiceAccounts] {
  const [only] = clusters;
  if (name === undefined && only !== undefined && clusters.size === 1) return only;
  const accounts = clusters.get(name ?? "");
  if (name !== undefined && accounts !== undefined) return [name, accounts];
  throw new GitspanError("bad-request", "the request does not say of which cluster the token is", {
    hint: "Send the header Gitspan-Cluster with the cluster's name under `tekton` in gitspan's configuration.",
  });
}
