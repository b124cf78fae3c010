import { ANY_NAME, withWords } from "../model/pattern.ts";
import type { RawConfiguration } from "./schema.ts";

type RawApp = NonNullable<RawConfiguration["apps"]>[string];
type RawTarget = RawApp["targets"][string];

/** Stands for each environment as a key of targets, and for its name in their texts. */
export const ANY_ENVIRONMENT = "{env}";

/**
 * The same configuration with a target for each environment where the file says `{env}`, and without placeholders but
 * for `{name}` in the pattern `{name}` itself. An environment's own entry wins over `{env}`.
 */
export function expandApps(raw: RawConfiguration): RawConfiguration {
  if (raw.apps === undefined) return raw;
  const environments = Object.keys(raw.environments ?? {});
  const apps = Object.entries(raw.apps).map(([name, app]) => [name, expandApp(name, app, environments)] as const);
  return { ...raw, apps: Object.fromEntries(apps) };
}

function expandApp(name: string, app: RawApp, environments: readonly string[]): RawApp {
  const { targets, ...rest } = app;
  const { [ANY_ENVIRONMENT]: any, ...own } = targets;
  const expanded: Record<string, RawTarget> = {};
  for (const environment of any === undefined ? Object.keys(own) : environments) {
    const target = own[environment] ?? any;
    if (target !== undefined) expanded[environment] = withWords(target, wordsOf(name, environment));
  }
  return { ...withWords(rest, { [ANY_NAME]: name }), targets: expanded };
}

function wordsOf(name: string, environment: string): Record<string, string> {
  return { [ANY_NAME]: name, [ANY_ENVIRONMENT]: environment };
}
