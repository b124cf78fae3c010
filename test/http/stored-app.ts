import { systemAmbient } from "../../src/ambient.ts";
import { hashToken } from "../../src/config/tokens.ts";
import { accept } from "../../src/delivery/accept.ts";
import type { Metrics, Settings } from "../../src/delivery/ports.ts";
import type { HttpDeps } from "../../src/http/deps.ts";
import type { Intake } from "../../src/http/intake.ts";
import { isAllowed } from "../../src/model/access.ts";
import { matchBuild } from "../../src/model/match.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { aTarget } from "../fakes/examples.ts";
import { MemoryStore } from "../fakes/memory-store.ts";
import { MemoryTrust } from "../fakes/memory-trust.ts";
import { TOKENS } from "./fake-ports.ts";
import { startApp, type TestApp } from "./requests.ts";

const targets = [aTarget(), aTarget({ id: "checkout/prod", environment: "prod" })];
const access = [
  { subject: "token:shop-ci", actions: ["deliver" as const], apps: ["checkout"], environments: ["staging"] },
  { subject: "signature:shop-ci", actions: ["deliver" as const], apps: ["checkout"], environments: ["staging"] },
  { subject: "group:platform", actions: ["read" as const], apps: ["*"], environments: ["*"] },
];
const settings: Settings = {
  hash: "h",
  targets: () => targets,
  target: (id) => targets.find((target) => target.id === id),
  undecided: () => undefined,
  refused: () => [],
  repository: () => undefined,
  match: (report) => matchBuild({ apps: [{ name: "checkout" }], targets }, report),
  allows: (caller, permission) => isAllowed(access, caller, permission),
};

export interface StoredApp extends TestApp {
  store: MemoryStore;
}

/** The application with the real intake, on the store that passes the store's contract. */
export async function startStoredApp(overrides: Partial<HttpDeps> = {}): Promise<StoredApp> {
  const { clock, ids } = systemAmbient;
  const metrics: Metrics = createMetrics({ version: "1", clock });
  const store = new MemoryStore({ clock });
  const intake: Intake = {
    accept: (request, signal) =>
      accept({ store, ids, trust: new MemoryTrust(), settings: () => settings, metrics }, request, signal),
  };
  await store.createToken({ name: "shop-ci", hash: hashToken(TOKENS.ci), groups: [] });
  await store.createToken({ name: "ada", hash: hashToken(TOKENS.platform), groups: ["platform"] });
  return { ...startApp({ intake, store, settings: () => settings, ...overrides }), store };
}
