import { EventEmitter, once } from "node:events";
import { systemAmbient } from "../../src/ambient.ts";
import { hashToken } from "../../src/config/tokens.ts";
import type { Accepted, AcceptRequest } from "../../src/delivery/accept.ts";
import type { Preview, PreviewRequest } from "../../src/delivery/plan-preview.ts";
import type { Log } from "../../src/delivery/ports.ts";
import type { HttpDeps } from "../../src/http/deps.ts";
import { type AccessRule, isAllowed } from "../../src/model/access.ts";
import type { RefusedApplication } from "../../src/model/annotated.ts";
import type { Build } from "../../src/model/build.ts";
import type { Delivery, DeliveryEvent } from "../../src/model/delivery.ts";
import type { DeliveryFilter, Page } from "../../src/model/reading.ts";
import { aBuild, aDelivery, aTarget } from "../fakes/examples.ts";
import { MemoryStore } from "../fakes/memory-store.ts";

export const TOKENS = {
  ci: `gsp_${"c".repeat(43)}`,
  platform: `gsp_${"p".repeat(43)}`,
  stranger: `gsp_${"s".repeat(43)}`,
  operator: `gsp_${"o".repeat(43)}`,
};
export const BUILD_ID = "0197a000-0000-7000-8000-00000000000b";
export const DELIVERY_ID = "0197a000-0000-7000-8000-00000000000d";
const RULES: AccessRule[] = [
  { subject: "token:shop-ci", actions: ["deliver"], apps: ["checkout"], environments: ["staging"] },
  { subject: "group:platform", actions: ["read"], apps: ["*"], environments: ["*"] },
  { subject: "token:operator", actions: ["hold", "rollback"], apps: ["checkout"], environments: ["staging"] },
];

const TARGETS = [aTarget(), aTarget({ id: "checkout/prod", environment: "prod" })];

/** A small store and intake behind the ports that the HTTP part needs; tests change it in the open. */
export class FakePorts {
  readonly builds = new Map<string, Build>();
  deliveries: Delivery[] = [];
  readonly history: DeliveryEvent[] = [];
  readonly tokens = new Map([
    [hashToken(TOKENS.ci), { name: "shop-ci", groups: [] as string[] }],
    [hashToken(TOKENS.platform), { name: "ada", groups: ["platform"] }],
    [hashToken(TOKENS.stranger), { name: "stranger", groups: [] }],
    [hashToken(TOKENS.operator), { name: "operator", groups: [] }],
  ]);
  /** What is known of targets and their holds. */
  readonly memory = new MemoryStore({ clock: systemAmbient.clock });
  readonly accepted: AcceptRequest[] = [];
  readonly logged: { level: string; message: string; fields: Record<string, unknown> }[] = [];
  readonly changes = new EventEmitter();
  /** Waits that are going on now. */
  waiting = 0;
  stopping = false;
  /** Secrets of signed requests by key. */
  readonly signatures = new Map([["shop-ci", ["the-first-secret-of-shop-ci", "the-second-secret-of-shop-ci"]]]);
  readonly requests: { route: string; method: string; status: number; seconds: number }[] = [];
  /** Why callers were refused, in order. */
  readonly refused: string[] = [];
  openStreams = 0;
  /** Told of every line. */
  onLog: ((line: { message: string; fields: Record<string, unknown> }) => void) | undefined;
  /** Replaces what the intake does; by default it stores one build with one delivery. */
  intake: ((request: AcceptRequest, signal: AbortSignal) => Promise<Accepted>) | undefined;
  /** What a plan is answered with. */
  preview: (request: PreviewRequest) => Preview = () => ({ targets: [], misses: [] });
  /** Why nobody can say whether there is a target, by its id. */
  undecided = new Map<string, string>();
  /** Annotated Applications that are no targets. */
  refusedApplications: RefusedApplication[] = [];
  /** Thrown by every method of the store while it is set. */
  failure: Error | undefined;
  checks: HttpDeps["ready"] = async () => [{ name: "store", ok: true, detail: "answers" }];

  deps(overrides: Partial<HttpDeps> = {}): HttpDeps {
    return {
      plans: { preview: async (request) => this.preview(request) },
      intake: { accept: (request, signal) => this.accept(request, signal) },
      store: {
        build: async (id) => this.guarded(this.builds.get(id)),
        delivery: async (id) =>
          this.guarded(this.deliveries.find((delivery) => delivery.id === id) ?? (await this.memory.delivery(id))),
        deliveries: async (filter) => this.guarded(this.page(filter)),
        events: async (id) => this.guarded(this.history.filter((event) => event.deliveryId === id)),
        tokenByHash: async (hash) => this.guarded(this.tokens.get(hash)),
        eventsAfter: async (after, limit) => this.guarded(await this.memory.eventsAfter(after, limit)),
        waitForChange: (timeoutMs, signal) => this.waitForChange(timeoutMs, signal),
        now: () => this.memory.now(),
        pending: (id) => this.memory.pending(id),
        targetStates: (ids) => this.memory.targetStates(ids),
        targetIds: () => this.memory.targetIds(),
        holds: (ids) => this.memory.holds(ids),
        allHolds: () => this.memory.allHolds(),
        createHold: (hold) => this.memory.createHold(hold),
        removeHold: (id) => this.memory.removeHold(id),
        pin: (id, pinned) => this.memory.pin(id, pinned),
        written: (id, limit) => this.memory.written(id, limit),
        rollBack: (input) => this.memory.rollBack(input),
        unpin: (id) => this.memory.unpin(id),
      },
      settings: () => ({
        targets: () => TARGETS,
        target: (id) => TARGETS.find((target) => target.id === id),
        undecided: (id) => this.undecided.get(id),
        refused: () => this.refusedApplications,
        allows: (caller, permission) => isAllowed(RULES, caller, permission),
      }),
      signatureSecrets: async (key) => this.signatures.get(key) ?? [],
      metrics: {
        request: (request) => void this.requests.push(request),
        rollback: () => undefined,
        refused: (reason) => void this.refused.push(reason),
        streams: (open) => {
          this.openStreams = open;
        },
      },
      log: this.log(),
      clock: systemAmbient.clock,
      ids: systemAmbient.ids,
      version: "1.2.3",
      shuttingDown: () => this.stopping,
      ready: () => this.checks(),
      ...overrides,
    };
  }

  /** Adds a build with one delivery to checkout/staging. */
  seed(change: Partial<Delivery> = {}): void {
    this.builds.set(BUILD_ID, aBuild({ id: BUILD_ID }));
    this.deliveries.push(aDelivery({ id: DELIVERY_ID, buildId: BUILD_ID, ...change }));
  }

  change(delivery: Partial<Delivery>): void {
    this.deliveries = this.deliveries.map((old) => ({ ...old, ...delivery }));
    this.changes.emit("change");
  }

  private async accept(request: AcceptRequest, signal: AbortSignal): Promise<Accepted> {
    this.accepted.push(request);
    if (this.intake !== undefined) return this.intake(request, signal);
    const kind = this.builds.has(BUILD_ID) ? "repeat" : "accepted";
    if (kind === "accepted") this.seed();
    const build = this.builds.get(BUILD_ID) ?? aBuild({ id: BUILD_ID });
    return { kind, build, deliveries: this.deliveries };
  }

  private guarded<T>(value: T): T {
    if (this.failure !== undefined) throw this.failure;
    return value;
  }

  private page(filter: DeliveryFilter): Page<Delivery> {
    const matching = this.deliveries.filter(
      (delivery) =>
        (filter.app ?? delivery.app) === delivery.app &&
        (filter.buildId ?? delivery.buildId) === delivery.buildId &&
        (filter.outcome ?? delivery.outcome) === delivery.outcome,
    );
    const start = Number(filter.cursor ?? 0);
    const end = start + filter.limit;
    const items = matching.slice(start, end);
    return end < matching.length ? { items, next: String(end) } : { items };
  }

  private async waitForChange(timeoutMs: number, signal: AbortSignal): Promise<void> {
    this.waiting++;
    this.changes.emit("wait");
    const stop = new AbortController();
    try {
      await Promise.race([
        once(this.changes, "change", { signal: AbortSignal.any([signal, stop.signal]) }),
        systemAmbient.clock.sleep(timeoutMs, AbortSignal.any([signal, stop.signal])),
      ]);
    } finally {
      this.waiting--;
      stop.abort();
    }
  }

  private log(): Log {
    const write =
      (level: string) =>
      (message: string, fields: Record<string, unknown> = {}): void => {
        this.logged.push({ level, message, fields });
        this.onLog?.({ message, fields });
      };
    return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  }
}
