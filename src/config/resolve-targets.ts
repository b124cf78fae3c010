import type { ApplicationRef } from "../model/application.ts";
import type { Policy, Target } from "../model/target.ts";
import type { TrustPolicy } from "../model/trust.ts";
import { DEFAULT_BRANCH } from "./configuration.ts";
import { placesOf } from "./resolve-places.ts";
import type { RawConfiguration } from "./schema.ts";
import { parseDuration } from "./values.ts";

/** How an environment judges where the file says nothing. */
const DEFAULT_POLICY: Policy = {
  settleMs: 30_000,
  degradedMs: 45_000,
  timeoutMs: 13 * 60_000,
  expireAfterMs: 7 * 86_400_000,
};

type RawApp = NonNullable<RawConfiguration["apps"]>[string];
type RawTarget = RawApp["targets"][string];

/** One target for each environment of each app, in the order of the file. */
export function resolveTargets(raw: RawConfiguration, trust: ReadonlyMap<string, TrustPolicy>): Target[] {
  return Object.entries(raw.apps ?? {}).flatMap(([app, rawApp]) =>
    Object.entries(rawApp.targets).map(([environment, target]) => {
      const repository = target.repository ?? onlyRepository(raw) ?? "";
      return {
        id: `${app}/${environment}`,
        app,
        environment,
        repository,
        branch: target.branch ?? raw.repositories[repository]?.branch ?? DEFAULT_BRANCH,
        images: Object.entries(rawApp.images).map(([name, image]) => ({ name, repository: image })),
        places: placesOf(rawApp, target).map(({ place }) => place),
        ...(target.digestPolicy === undefined ? {} : { digestPolicy: target.digestPolicy }),
        applications: target.applications?.map(applicationOf),
        ...(target.success === undefined ? {} : { healthyAtLeast: target.success.atLeast }),
        policy: policyOf(raw, environment, target, trust.get(environment)),
      } as const;
    }),
  );
}

/** The repository of targets that name none: the only one there is. */
export function onlyRepository(raw: RawConfiguration): string | undefined {
  const [only, second] = Object.keys(raw.repositories);
  return second === undefined ? only : undefined;
}

function applicationOf(text: string): ApplicationRef {
  const [cluster = "", namespace = "", name = ""] = text.split("/");
  return { cluster, namespace, name };
}

/** How the environment judges; a target may say otherwise. */
export function policyOf(
  raw: RawConfiguration,
  environment: string,
  target: Pick<RawTarget, "expireAfter">,
  trust: TrustPolicy | undefined,
): Policy {
  const own = raw.environments?.[environment] ?? {};
  return {
    settleMs: durationOf(own.settle) ?? DEFAULT_POLICY.settleMs,
    degradedMs: durationOf(own.degradedAfter) ?? DEFAULT_POLICY.degradedMs,
    timeoutMs: durationOf(own.timeout) ?? DEFAULT_POLICY.timeoutMs,
    expireAfterMs: durationOf(target.expireAfter) ?? durationOf(own.expireAfter) ?? DEFAULT_POLICY.expireAfterMs,
    ...(own.rollback === "automatic" ? { rollback: own.rollback } : {}),
    ...(trust && { trust }),
    ...(own.onManualRevert === "hold-digest" ? { onManualRevert: own.onManualRevert } : {}),
  };
}

function durationOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDuration(text);
}
