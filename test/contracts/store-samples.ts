import type {
  HoldStore,
  IntakePositionStore,
  IntakeStore,
  LaneStore,
  ReadStore,
  RollbackStore,
  TokenStore,
  WorkStore,
} from "../../src/delivery/store-ports.ts";
import type { AcceptInput, NewDelivery } from "../../src/model/acceptance.ts";
import type { Delivery } from "../../src/model/delivery.ts";
import type { Digest } from "../../src/model/image.ts";
import type { AttemptInput, LaneClaim } from "../../src/model/lane.ts";
import type { Observation } from "../../src/model/observation.ts";
import { laneOf } from "../../src/model/target.ts";

export type Store = IntakeStore &
  ReadStore &
  WorkStore &
  LaneStore &
  HoldStore &
  RollbackStore &
  TokenStore &
  IntakePositionStore;

export interface StoreSubject {
  store: Store;
  /** The same data as another process sees it. */
  other: Store;
  /** Lets `ms` of database time pass for everything that is stored. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

export type MakeStore = () => Promise<StoreSubject>;

export const LANE = laneOf({ repository: "gitops", branch: "main" });
export const LEASE = { owner: "one", ms: 60_000 };
export const OTHER_LEASE = { owner: "two", ms: 60_000 };
export const DAY = 86_400_000;
export const BASE = "b".repeat(40);
export const HEAD = "c".repeat(40);

let last = 0;

/** Ids grow, as the real ones (uuid version 7) do, and differ between processes. */
export function nextId(prefix: string): string {
  return `${prefix}-${process.pid}-${String(++last).padStart(6, "0")}`;
}

/** Grows like the others. */
function nextUuid(): string {
  const tail = (process.pid * 1_000_000 + ++last).toString(16).padStart(12, "0");
  return `8ce0978f-25f7-4ad9-9297-${tail}`;
}

export function digestOf(letter: string): Digest {
  return `sha256:${letter.repeat(64)}`;
}

export function newDelivery(over: Partial<NewDelivery> = {}): NewDelivery {
  return {
    id: nextUuid(),
    kind: "build",
    targetId: "checkout/dev",
    app: "checkout",
    environment: "dev",
    lane: LANE,
    images: [{ name: "checkout", repository: "registry.test/checkout", tag: "1.0.0", digest: digestOf("a") }],
    expireAfterMs: 7 * DAY,
    ...over,
  };
}

export function acceptInput(over: Partial<AcceptInput> = {}): AcceptInput {
  const buildId = nextUuid();
  return {
    buildId,
    report: {
      artifacts: [
        { name: "checkout", repository: "registry.test/checkout", tag: "1.0.0", digest: digestOf("a") },
        { name: "worker", repository: "registry.test/worker", digest: digestOf("b") },
      ],
      source: {
        repository: "https://git.test/checkout",
        commit: "a".repeat(40),
        ref: "refs/heads/main",
        time: 1_700_000_000_000,
      },
      run: { kind: "PipelineRun", uid: nextUuid(), namespace: "ci", name: "run-1", cluster: "main" },
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    },
    subject: "token:ci",
    groups: ["team"],
    deliveries: [newDelivery()],
    ...over,
  };
}

export function observation(name = "checkout-dev"): Observation {
  return {
    pushedAt: 0,
    paths: ["apps/checkout/kustomization.yaml"],
    newImages: ["registry.test/checkout:1.0.0"],
    oldImages: [],
    applications: [{ ref: { cluster: "main", namespace: "argocd", name }, memory: {} }],
  };
}

/** Accepts one build with one delivery. */
export async function accepted(store: Store, over: Partial<NewDelivery> = {}): Promise<Delivery> {
  const result = await store.accept(acceptInput({ deliveries: [newDelivery(over)] }));
  if (result.kind !== "accepted") throw new Error(`not accepted: ${result.kind}`);
  return result.deliveries[0]!;
}

export async function reread(store: Store, delivery: { id: string }): Promise<Delivery> {
  const found = await store.delivery(delivery.id);
  if (found === undefined) throw new Error(`delivery ${delivery.id} is gone`);
  return found;
}

export async function ready(store: Store, over: Partial<NewDelivery> = {}): Promise<Delivery> {
  const delivery = await accepted(store, over);
  if (!(await store.save(delivery, { phase: "ready" }))) throw new Error("not saved");
  return await reread(store, delivery);
}

export async function claimLane(store: Store, lease = LEASE): Promise<LaneClaim> {
  const claim = await store.claimLane(lease);
  if (claim === undefined) throw new Error("no lane is due");
  return claim;
}

/** An attempt with these deliveries, as they and their targets are now. */
export async function attemptFor(
  store: Store,
  claim: LaneClaim,
  deliveries: readonly Delivery[],
  over: Partial<AttemptInput> = {},
): Promise<AttemptInput> {
  const targets = await store.targetStates(deliveries.map((delivery) => delivery.targetId));
  return {
    id: nextId("attempt"),
    claim,
    base: BASE,
    head: HEAD,
    configHash: "config",
    items: deliveries.map((delivery) => ({
      deliveryId: delivery.id,
      targetId: delivery.targetId,
      commit: `commit-of-${delivery.id}`,
      observation: observation(),
      deliveryVersion: delivery.version,
      targetVersion: targets.get(delivery.targetId)?.version ?? 0,
    })),
    ...over,
  };
}

/** A delivery that has been written and now follows. */
export async function following(store: Store, over: Partial<NewDelivery> = {}): Promise<Delivery> {
  const delivery = await ready(store, over);
  const claim = await claimLane(store);
  const attempt = await attemptFor(store, claim, [delivery]);
  const begun = await store.beginAttempt(attempt);
  if (begun.kind !== "begun") throw new Error(`not begun: ${begun.kind}`);
  await store.attemptLanded({ id: attempt.id, laneId: claim.lane.id });
  await store.releaseLane(claim);
  return await reread(store, delivery);
}

export async function kindsOf(store: Store, delivery: { id: string }): Promise<string[]> {
  return (await store.events(delivery.id)).map((event) => event.kind);
}
