import pRetry from "p-retry";
import { systemAmbient } from "./ambient.ts";
import { makeBearers } from "./bearers.ts";
import { annotationRules } from "./config/annotated-settings.ts";
import type { Configuration } from "./config/configuration.ts";
import { LiveConfiguration } from "./config/live-configuration.ts";
import { loadConfiguration } from "./config/load.ts";
import { configurationHints, readConfiguration, readConfigurationText } from "./config/read.ts";
import { resolveSecret } from "./config/secrets.ts";
import { settingsOf } from "./config/settings.ts";
import { secretsOfKey } from "./config/signatures.ts";
import { Connections } from "./connections.ts";
import { type AcceptRequest, accept } from "./delivery/accept.ts";
import { AnnotatedTargets } from "./delivery/annotated.ts";
import { takeReading } from "./delivery/events.ts";
import { previewPlan } from "./delivery/plan-preview.ts";
import type { ArgoCd, Log, Trust } from "./delivery/ports.ts";
import { runWorker } from "./delivery/worker.ts";
import { sourceHistory } from "./git/source-history.ts";
import { createApp } from "./http/app.ts";
import { createMetricsApp } from "./http/metrics-app.ts";
import { listening, urlOf } from "./listening.ts";
import { isTransient } from "./model/errors.ts";
import { annotatedCheck, brakeCheck, lanesCheck, readiness } from "./readiness.ts";
import { type Database, type DatabaseLocation, openDatabase } from "./store/database.ts";
import { createLog, logLevelOf } from "./telemetry/log.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import { VERSION } from "./version.ts";

export interface BridgeOptions {
  configFile: string;
  log?: Log;
  /** After so many milliseconds without a sign of life another replica takes over; default 10 s. */
  leaseMs?: number;
  /** Wraps each port as it is wired in; tests use it to make ports fail. */
  decorate?: <T extends object>(name: "store" | "git" | "argocd" | "trust", port: T) => T;
}

export interface Bridge {
  /** `http://127.0.0.1:8484` */
  address: string;
  /** Where `/metrics` is, when the configuration asks for it. */
  metricsAddress: string | undefined;
  /** Reads the configuration again now, certificates included. A broken one changes nothing and is logged. */
  reload(): Promise<void>;
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
  const text = await readConfigurationText(options.configFile);
  const configuration = loadConfiguration(text, options.configFile);
  const log = options.log ?? createLog({ clock: ambient.clock, level: logLevelOf(process.env["GITSPAN_LOG_LEVEL"]) });
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
    const metrics = createMetrics({ version: VERSION, clock: ambient.clock });
    let inForce = configuration;
    let settings = settingsOf(configuration);
    const store = decorate("store", database.store);
    const intake = (request: AcceptRequest, signal: AbortSignal) =>
      accept({ store, ids: ambient.ids, trust, settings: () => settings, metrics }, request, signal);
    const connections = new Connections({
      ambient,
      log,
      decorate: (git) => decorate("git", git),
      registryRequest: (result) => metrics.registryRequest(result),
      changed: (ref) => {
        database.store
          .expedite(ref)
          .catch((error: unknown) => log.debug("a delivery was not brought forward", { error }));
      },
      buildTasks: () => settings.buildTasks(),
      runs: {
        take: (reading, signal) =>
          takeReading(
            { accept: (request) => intake(request, signal) },
            { reading: { kind: "build", ...reading }, caller: undefined, traceparent: undefined },
          ),
        counted: (source, outcome) => metrics.event(source, outcome),
        positions: store,
      },
    });
    opened.push(connections);
    const trust = decorate<Trust>("trust", connections.trust);
    const argocd = decorate<ArgoCd>("argocd", connections.argocd);
    const repository = (name: string) => connections.repository(name);
    const annotated = new AnnotatedTargets({
      argocd,
      repository,
      clock: ambient.clock,
      log,
      changed: (state, lanes) => {
        settings = settingsOf(inForce, state);
        for (const lane of lanes)
          database.store.wakeLane(lane).catch((error: unknown) => log.debug("a lane was not woken", { lane, error }));
      },
    });
    const apply = (next: Configuration) =>
      connections.apply(next, () => {
        inForce = next;
        annotated.configure(annotationRules(next));
        settings = settingsOf(next, annotated.state);
      });
    await apply(configuration);
    const live = new LiveConfiguration(
      { clock: ambient.clock, log, read: readConfigurationText, hints: configurationHints, apply },
      { configuration, text },
    );

    const preview = { repository, argocd, clock: ambient.clock };
    const troubled = new Set<string>();
    const working = runWorker(
      {
        ambient,
        store,
        history: sourceHistory({ clock: ambient.clock, log, repository: (url) => connections.source(url) }),
        repository,
        argocd,
        trust,
        settings: () => settings,
        settle: (lane, tip, signal) => annotated.atTip(lane, tip, signal),
        ids: ambient.ids,
        log,
        metrics,
      },
      {
        owner: ambient.ids.uuid(),
        leaseMs: options.leaseMs,
        onLane: (lane, trouble) => (trouble === undefined ? troubled.delete(lane) : troubled.add(lane)),
      },
      { stop: stop.signal, abort: abort.signal },
    );
    // A start that fails later (a port in use) must not take the store away from work under way.
    opened.push({ close: () => working });
    const looking = annotated.follow(stop.signal);
    opened.push({ close: () => looking });

    metrics.readAtScrape({
      deliveries: () => store.countDeliveries(),
      brakes: () => store.brakes(),
      watches: () => connections.ages(),
      runs: () => connections.runs(),
      failed: (error) => log.warn("the store could not be counted", { error }),
    });
    const app = createApp({
      intake: { accept: intake },
      events: { tekton: () => connections.eventSources(), metrics },
      bearers: makeBearers({
        clusters: () => connections.serviceAccounts(),
        issuer: (url) => connections.issuer(url),
      }),
      plans: {
        preview: (request, signal) =>
          previewPlan({ ...preview, settings: () => settings, patienceMs: 0 }, request, signal),
      },
      store,
      signatureSecrets: (key) => secretsOfKey(live.current, key, log),
      settings: () => settings,
      log,
      metrics,
      limits: configuration.limits,
      trustedProxies: configuration.trustedProxies,
      clock: ambient.clock,
      ids: ambient.ids,
      version: VERSION,
      shuttingDown: () => stop.signal.aborted,
      ready: async () => [
        ...(await readiness(database, connections, log)),
        lanesCheck(troubled),
        ...annotatedCheck(inForce.annotated.length > 0, annotated.state),
        await brakeCheck(store, log),
        live.check(),
      ],
    });
    // The framework writes into the options that it is given.
    await listening(configuration.listen, app.listen({ ...configuration.listen }));
    opened.push(app);
    const metricsApp = configuration.metricsListen && createMetricsApp(metrics);
    if (metricsApp !== undefined && configuration.metricsListen !== undefined) {
      await listening(configuration.metricsListen, metricsApp.listen({ ...configuration.metricsListen }));
      opened.push(metricsApp);
    }

    const following = live.follow(stop.signal);
    const address = urlOf(app.server.address());
    if (configuration.argocd.size === 0) {
      log.warn("no Argo CD is configured: deliveries are written, but nobody can say whether they run", {});
    }
    log.info("bridge started", { address, version: VERSION, targets: configuration.targets.length });
    return {
      address,
      metricsAddress: metricsApp && urlOf(metricsApp.server.address()),
      reload: () => live.reload(),
      async close() {
        log.info("bridge stops", {});
        stop.abort();
        const deadline = new AbortController();
        const drained = ambient.clock.sleep(DRAIN_MS, deadline.signal).then(
          () => abort.abort(),
          () => undefined,
        );
        await Promise.all([working, following, looking]);
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
