import { systemAmbient } from "./ambient.ts";
import { annotationRules } from "./config/annotated-settings.ts";
import { readConfiguration } from "./config/read.ts";
import { settingsOf } from "./config/settings.ts";
import { Connections } from "./connections.ts";
import { AnnotatedTargets } from "./delivery/annotated.ts";
import { type Preview, type PreviewRequest, previewPlan } from "./delivery/plan-preview.ts";
import { createLog } from "./telemetry/log.ts";

/** A plan waits so long for the first list of Applications. */
const ARGOCD_MS = 10_000;
const ASK_AGAIN_MS = 100;

/** Works out what a build would change: reads the configuration and its repositories, opens no database. */
export async function previewBuild(
  configFile: string,
  request: Omit<PreviewRequest, "sees">,
  signal: AbortSignal,
): Promise<Preview> {
  const configuration = await readConfiguration(configFile);
  const { clock } = systemAmbient;
  const log = createLog({ clock, level: "error" });
  const connections = new Connections({
    ambient: systemAmbient,
    log,
    decorate: (git) => git,
    changed: () => undefined,
    buildTasks: () => settingsOf(configuration).buildTasks(),
    registryRequest: () => undefined,
  });
  try {
    await connections.apply(
      {
        ...configuration,
        tekton: new Map(),
        oidc: new Map(),
        sources: new Map(),
        registries: new Map(),
        trust: new Map(),
      },
      () => undefined,
    );
    const { argocd } = connections;
    const repository = (name: string) => connections.repository(name);
    const annotated = new AnnotatedTargets({ argocd, repository, clock, log, changed: () => undefined });
    annotated.configure(annotationRules(configuration));
    const end = clock.now() + ARGOCD_MS;
    for (await annotated.refresh(signal); !annotated.state.complete && clock.now() < end; ) {
      await clock.sleep(ASK_AGAIN_MS, signal);
      await annotated.refresh(signal);
    }
    const settings = settingsOf(configuration, annotated.state);
    const deps = { settings: () => settings, repository, argocd, clock, patienceMs: ARGOCD_MS };
    return await previewPlan(deps, { ...request, sees: () => true }, signal);
  } finally {
    await connections.close();
  }
}
