import type { Build } from "../model/build.ts";
import type { Delivery, Ending, ImageValue, NewEvent } from "../model/delivery.ts";
import type { Digest } from "../model/image.ts";
import type { Target } from "../model/target.ts";
import { isProvenUnder, type TrustDecision, type TrustPolicy, type TrustRecord, withPolicy } from "../model/trust.ts";
import type { Metrics, Settings, Trust } from "./ports.ts";

export interface TrustCheckDeps {
  trust: Trust;
  metrics: Metrics;
}

export interface TrustCheckInput {
  settings: Settings;
  delivery: Delivery;
  build: Build;
  /** Database time, milliseconds. */
  now: number;
}

export type TrustResult =
  | { kind: "passed"; record?: TrustRecord; event?: NewEvent }
  | { kind: "waiting"; reason: "signature"; message: string; dueInMs: number; data: Record<string, unknown> }
  | { kind: "refused"; ending: Ending; event: NewEvent };

/** Signatures come within seconds of the run's end; then somebody is repairing something. */
const SOON = { withinMs: 60_000, lookMs: 2_000, laterMs: 10_000 };

type Proof = TrustRecord["images"][number];

/** What a rollback brings back stood there before: an image that was signed by a lost key must not keep a broken one running. */
export function mustProve(target: Target, { kind }: Delivery): boolean {
  return target.policy.trust !== undefined && kind !== "rollback";
}

/** Whether it has been proven as its target wants it now. */
export function isProven({ policy }: Target, { trust }: Delivery): boolean {
  return policy.trust !== undefined && trust !== undefined && isProvenUnder(trust, policy.trust);
}

/**
 * Whether every image of the delivery is there and proven as the environment wants it: waits for what may still come, up to
 * the policy's limit after the delivery's arrival. Rejects when a registry does not answer.
 */
export async function checkTrust(
  deps: TrustCheckDeps,
  input: TrustCheckInput,
  signal: AbortSignal,
): Promise<TrustResult> {
  const { settings, delivery, build } = input;
  const target = settings.target(delivery.targetId);
  if (target === undefined || delivery.kind === "rollback") return { kind: "passed" };
  const { trust: policy } = target.policy;
  const proofs: Proof[] = [];
  for (const image of delivery.images) {
    const gone = await goneFrom(deps.trust, { image, build, target }, signal);
    if (gone !== undefined) return refused(deps, gone);
    if (policy === undefined) continue;
    const decision = await decisionOn(deps.trust, { ...input, image, policy }, signal);
    if ("ending" in decision) return refused(deps, decision.ending);
    if (!decision.proven) return unproven(deps, { ...input, policy, image, decision });
    proofs.push(decision.proof);
  }
  if (policy === undefined) return { kind: "passed" };
  deps.metrics.trust("proven");
  const signers = [...new Set(proofs.flatMap((proof) => proof.signers))];
  const message = `proven by ${signers.join(" and ")}`;
  return {
    kind: "passed",
    record: { policies: withPolicy(delivery.trust?.policies ?? [], policy), at: input.now, images: proofs },
    event: { kind: "proven", message, data: { images: proofs } },
  };
}

/** Why the image cannot be written, whatever is signed of it. */
async function goneFrom(
  trust: Trust,
  { image, build, target }: { image: ImageValue; build: Build; target: Target },
  signal: AbortSignal,
): Promise<Ending | undefined> {
  const { repository, tag, digest } = image;
  if (digest === undefined || !trust.covers(repository)) return undefined;
  const absence = await trust.absenceOf({ repository, digest }, signal);
  if (absence !== undefined) return rejected("no-digest", absence);
  // Elsewhere a tag is only what people call the digest: that it names a newer one by now means nothing.
  const isByTag = build.artifacts.some((one) => one.repository === repository && one.resolved === true);
  if (tag === undefined || !(isByTag || target.digestPolicy === "tag")) return undefined;
  const now = await trust.digestOf({ repository, tag }, signal);
  if (now === digest) return undefined;
  return rejected("tag-moved", `${repository}:${tag} was ${digest} and is ${now ?? "gone"} by now`);
}

type Decided =
  | { ending: Ending }
  | { proven: true; proof: Proof }
  | ({ proven: false } & Omit<TrustDecision, "proven">);

async function decisionOn(
  trust: Trust,
  input: TrustCheckInput & { image: ImageValue; policy: TrustPolicy },
  signal: AbortSignal,
): Promise<Decided> {
  const { image, policy, build, delivery, now } = input;
  const { repository, digest } = image;
  if (digest === undefined) {
    return { ending: rejected("no-digest", `${repository} came without a digest: only a digest can be proven`) };
  }
  const where = delivery.environment;
  if (!trust.covers(repository)) {
    const message = `${where} wants proof of ${repository}, and its registry is not configured in \`registries\``;
    return { ending: rejected("untrusted", message) };
  }
  const { run, source } = build;
  if (policy.matchRun && policy.provenance !== "none" && run === undefined) {
    const message = `${where} wants provenance of the build's own run, and the build names no run`;
    return { ending: rejected("untrusted", message) };
  }
  const question = { image: { repository, digest }, policy, source, run, now };
  const { proven, ...decision } = await trust.decide(question, signal);
  const { signers, evidence } = decision;
  return proven ? { proven, proof: { repository, digest, signers, evidence } } : { proven, ...decision };
}

function unproven(
  deps: TrustCheckDeps,
  input: TrustCheckInput & {
    policy: TrustPolicy;
    image: ImageValue;
    decision: Pick<TrustDecision, "message" | "evidence">;
  },
): TrustResult {
  const { delivery, policy, image, decision, now } = input;
  const name = referenceOf(image.repository, image.digest);
  const until = delivery.createdAt + policy.waitMs;
  const data = { image: name, evidence: decision.evidence };
  if (now >= until) return refused(deps, rejected("untrusted", `${name} is not proven: ${decision.message}`), data);
  deps.metrics.trust("waiting");
  const lookMs = now - delivery.createdAt < SOON.withinMs ? SOON.lookMs : SOON.laterMs;
  return {
    kind: "waiting",
    reason: "signature",
    message: `waits until ${new Date(until).toISOString()} for proof of ${name}: ${decision.message}`,
    dueInMs: Math.min(lookMs, until - now),
    data,
  };
}

function refused({ metrics }: TrustCheckDeps, ending: Ending, data?: Record<string, unknown>): TrustResult {
  metrics.trust("refused");
  return { kind: "refused", ending, event: { kind: "refused", message: ending.message, ...(data && { data }) } };
}

function rejected(reason: "no-digest" | "tag-moved" | "untrusted", message: string): Ending {
  return { outcome: "rejected", reason, message };
}

function referenceOf(repository: string, digest: Digest | undefined): string {
  return `${repository}@${digest ?? ""}`;
}
