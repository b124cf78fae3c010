import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import pRetry from "p-retry";
import { systemAmbient } from "./ambient.ts";
import { connectArgoCd } from "./argocd/connection.ts";
import type { Configuration, RepositoryConfiguration } from "./config/configuration.ts";
import { readConfiguration } from "./config/read.ts";
import { resolveSecret } from "./config/secrets.ts";
import { type AcceptRequest, accept } from "./delivery/accept.ts";
import { sourceTimeHistory } from "./delivery/order.ts";
import type { ArgoCd, GitRepository, Log, Settings } from "./delivery/ports.ts";
import { runWorker } from "./delivery/worker.ts";
import { openHttpRepository } from "./git/repository.ts";
import { createApp } from "./http/app.ts";
import type { Readiness } from "./http/deps.ts";
import { createMetricsApp } from "./http/metrics-app.ts";
import { isAllowed } from "./model/access.ts";
import { isTransient } from "./model/errors.ts";
import { matchBuild } from "./model/match.ts";
import { type Database, type DatabaseLocation, openDatabase } from "./store/database.ts";
import { createLog } from "./telemetry/log.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import { VERSION } from "./version.ts";

export interface BridgeOptions {
  configFile: string;
  log?: Log;
  /** After so many milliseconds without a sign of life another replica takes over; default 10 s. */
  leaseMs?: number;
  /** Wraps each port as it is wired in; tests use it to make ports fail. */
  decorate?: <T extends object>(name: "store" | "git" | "argocd", port: T) => T;
}

export interface Bridge {
  /** `http://127.0.0.1:8484` */
  address: string;
  /** Where `/metrics` is, when the configuration asks for it. */
  metricsAddress: string | undefined;
  /** Takes no new work, finishes what is under way (20 s at most), closes everything. */
  close(): Promise<void>;
}

/** Work under way may take so long after a stop was asked for; below the usual 30 s grace of Kubernetes. */
const DRAIN_MS = 20_000;

/** A database that is started together with the bridge is given about half a minute to answer. */
const STORE_START = { retries: 8, minTimeout: 500, maxTimeout: 5_000, randomize: true };

/** Reads the configuration, opens everything, and works until closed. Throws what a person has to put right. */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const ambient = systemAmbient;
  const configuration = await readConfiguration(options.configFile);
  const log = options.log ?? createLog({ clock: ambient.clock });
  const decorate = options.decorate ?? ((_name, port) => port);
  const stop = new AbortController();
  const abort = new AbortController();

  const location = await locationOf(configuration.database, "serve");
  const database = await pRetry(() => openDatabase({ ...ambient, log }, location), {
    ...STORE_START,
    shouldRetry: ({ error }) => isTransient(error),
    onFailedAttempt: ({ error }) => log.warn("the store is not there yet", { error }),
  });
  const opened: { close(): Promise<void> | void }[] = [database];
  const closeAll = async () => {
    stop.abort();
    abort.abort();
    for (const part of opened.toReversed()) await part.close();
  };
  try {
    const metrics = createMetrics({ version: VERSION });
    const settings = settingsOf(configuration);
    const repositories = await openRepositories(configuration, log);
    opened.push(...repositories.values());
    const argocd = await connectArgoCd({ ambient, log }, argocdOptions(configuration));
    opened.push({ close: () => argocd.close() });
    argocd.onChange((ref) => {
      database.store
        .expedite(ref)
        .catch((error: unknown) => log.debug("a delivery was not brought forward", { error }));
    });

    const store = decorate("store", database.store);
    const ports = new Map([...repositories].map(([name, git]) => [name, decorate<GitRepository>("git", git)]));
    const working = runWorker(
      {
        ambient,
        store,
        history: sourceTimeHistory,
        repository: (name) => ports.get(name),
        argocd: decorate<ArgoCd>("argocd", argocd),
        settings: () => settings,
        ids: ambient.ids,
        log,
        metrics,
      },
      { owner: ambient.ids.uuid(), leaseMs: options.leaseMs },
      { stop: stop.signal, abort: abort.signal },
    );

    const app = createApp({
      intake: {
        accept: (request: AcceptRequest) =>
          accept({ store, ids: ambient.ids, settings: () => settings, metrics }, request),
      },
      store,
      settings: () => settings,
      log,
      clock: ambient.clock,
      ids: ambient.ids,
      version: VERSION,
      shuttingDown: () => stop.signal.aborted,
      ready: () => readiness(database, argocd, log),
    });
    await app.listen(configuration.listen);
    opened.push(app);
    const metricsApp = configuration.metricsListen && createMetricsApp(metrics);
    if (metricsApp !== undefined && configuration.metricsListen !== undefined) {
      await metricsApp.listen(configuration.metricsListen);
      opened.push(metricsApp);
    }

    const address = urlOf(app.server.address());
    log.info("bridge started", { address, version: VERSION, targets: configuration.targets.length });
    return {
      address,
      metricsAddress: metricsApp && urlOf(metricsApp.server.address()),
      async close() {
        log.info("bridge stops", {});
        stop.abort();
        const deadline = new AbortController();
        const drained = ambient.clock.sleep(DRAIN_MS, deadline.signal).then(
          () => abort.abort(),
          () => undefined,
        );
        await working;
        deadline.abort();
        await drained;
        await closeAll();
        log.info("bridge stopped", {});
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Opens the configured store for one command, beside a running bridge or alone. */
export async function withStore<T>(configFile: string, run: (store: Database["store"]) => Promise<T>): Promise<T> {
  const configuration = await readConfiguration(configFile);
  const log = createLog({ clock: systemAmbient.clock, level: "error" });
  const database = await openDatabase({ ...systemAmbient, log }, await locationOf(configuration.database, "attach"));
  try {
    return await run(database.store);
  } finally {
    await database.close();
  }
}

async function locationOf(database: Configuration["database"], mode: "serve" | "attach"): Promise<DatabaseLocation> {
  if (database.kind === "embedded") return { embedded: database.directory, mode };
  return { url: await resolveSecret(database.url) };
}

function settingsOf(configuration: Configuration): Settings {
  const targets = new Map(configuration.targets.map((target) => [target.id, target]));
  return {
    hash: configuration.hash,
    target: (id) => targets.get(id),
    repository: (name) => configuration.repositories.get(name),
    match: (report) => matchBuild(configuration, report),
    allows: (caller, permission) => isAllowed(configuration.access, caller, permission),
  };
}

async function openRepositories(configuration: Configuration, log: Log) {
  const opened = [...configuration.repositories.values()].map(async (repository) => {
    const ca = repository.caFile === undefined ? undefined : await readFile(repository.caFile, "utf8");
    const git = openHttpRepository(
      { ambient: systemAmbient, log },
      { url: repository.url, ca, credentials: () => credentialsOf(repository) },
    );
    return [repository.name, git] as const;
  });
  return new Map(await Promise.all(opened));
}

/** Read again for every request: tokens are rotated while we run. */
async function credentialsOf({ auth }: RepositoryConfiguration) {
  if (auth === undefined) return undefined;
  return { username: auth.username, password: await resolveSecret(auth.token) };
}

function argocdOptions(configuration: Configuration) {
  return [...configuration.argocd.values()].map(({ server, ...argocd }) => ({
    ...argocd,
    server: server && { url: server.url, token: () => resolveSecret(server.token) },
  }));
}

/** Shown without a token: what is wrong in detail goes to the log only. */
async function readiness(database: Database, argocd: { ready(): Readiness[] }, log: Log): Promise<Readiness[]> {
  const store = await database.ping().then(
    () => ({ name: "store", ok: true, detail: "answers" }),
    (error: unknown) => {
      log.warn("the store is not ready", { error });
      return { name: "store", ok: false, detail: "does not answer; see the log" };
    },
  );
  return [store, ...argocd.ready()];
}

function urlOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === "string") return String(address);
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
