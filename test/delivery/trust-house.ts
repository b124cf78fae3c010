import type { TrustPolicy } from "../../src/model/trust.ts";
import { aPolicy } from "../trust/policy.ts";
import { makeHouse, repositoryOf, targetOf } from "./house.ts";

export const REPOSITORY = repositoryOf("checkout");
export const digest = `sha256:${"a".repeat(64)}` as const;
export const other = `sha256:${"b".repeat(64)}` as const;
export const source = "https://git.example.com/shop/source.git";

/** One target that wants proof, and a registry that has the image of `tag`. */
export function aHouse(policy: Partial<TrustPolicy> = {}, over: { wantsProof?: boolean; registries?: string[] } = {}) {
  const { policy: plain, ...target } = targetOf("checkout");
  const trust = over.wantsProof === false ? {} : { trust: aPolicy(policy) };
  const wanted = { ...target, policy: { ...plain, ...trust } };
  const house = makeHouse({ targets: [wanted], registries: over.registries ?? ["registry.example.com"] });
  house.trust.push(REPOSITORY, "1.1", digest);
  const words = { tag: "1.1", digest, sourceCommit: "c".repeat(40) };
  return {
    ...house,
    words,
    /** Signs it and says of which run it is: the house numbers runs as they come. */
    prove(run: string, commit = "c".repeat(40), of = digest): void {
      house.trust.sign(REPOSITORY, of);
      house.trust.attest(REPOSITORY, of, { source: { repository: source, commit }, run });
    },
  };
}
