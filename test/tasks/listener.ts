/** What a listener with the shipped Triggers makes of a webhook: interceptors, bindings, template, as Tekton Triggers documents them. */
import { createHmac } from "node:crypto";
import { documentsIn, get, isRecord, list, nameOf, ofKind, record, text, textsIn, type Value } from "./catalog.ts";
import { type CelInput, evaluate } from "./cel.ts";
import type { Webhook } from "./webhooks.ts";

const EVENT_HEADER: Readonly<Record<string, string>> = {
  github: "X-Github-Event",
  gitlab: "X-Gitlab-Event",
  bitbucket: "X-Event-Key",
};

export interface Started {
  trigger: string;
  params: Record<string, string>;
  run: Value;
}

/** Only what stands in trigger/ itself: samples are variants. */
const triggers = ofKind("Trigger").filter(({ file }) => !file.includes("samples"));
const bindings = new Map(ofKind("TriggerBinding").map(({ object }) => [nameOf(object), object]));
const templates = new Map(documentsIn("trigger/templates.yaml").map((object) => [nameOf(object), object]));

/** `secrets` by the keys of the Secret `gitspan-webhooks`. */
export function listen(webhook: Webhook, secrets: Readonly<Record<string, string>>): Started[] {
  return triggers.flatMap(({ object }) => start(object, webhook, secrets) ?? []);
}

/** Undefined when an interceptor stops the event. */
export function intercept(
  trigger: Value,
  webhook: Webhook,
  secrets: Readonly<Record<string, string>>,
): Value | undefined {
  const parsed: unknown = JSON.parse(webhook.body);
  const header = Object.fromEntries(Object.entries(webhook.headers).map(([name, value]) => [name, [value]]));
  const input: CelInput = { body: record(parsed), header, extensions: {} };
  for (const interceptor of list(get(trigger, "spec", "interceptors"))) {
    const kind = text(get(interceptor, "ref", "name"));
    const params = new Map(list(interceptor["params"]).map((param) => [nameOf(param), param["value"]]));
    const passes = kind === "cel" ? filter(params, input) : isGenuine(kind, params, webhook, secrets);
    if (!passes) return undefined;
  }
  return input.extensions;
}

function start(trigger: Value, webhook: Webhook, secrets: Readonly<Record<string, string>>): Started | undefined {
  const extensions = intercept(trigger, webhook, secrets);
  if (extensions === undefined) return undefined;
  const body: unknown = JSON.parse(webhook.body);
  const template = record(templates.get(text(get(trigger, "spec", "template", "ref"))));
  const params: Record<string, string> = {};
  for (const declared of list(get(template, "spec", "params"))) {
    if (typeof declared["default"] === "string") params[nameOf(declared)] = declared["default"];
  }
  for (const { ref } of list(get(trigger, "spec", "bindings"))) {
    for (const param of list(get(bindings.get(text(ref)), "spec", "params"))) {
      const value = resolve(text(param["value"]), { body, header: webhook.headers, extensions });
      if (value !== undefined) params[nameOf(param)] = value;
    }
  }
  const [run] = list(get(template, "spec", "resourcetemplates"));
  return { trigger: nameOf(trigger), params, run: record(filled(run, params)) };
}

function filter(params: ReadonlyMap<string, unknown>, input: CelInput): boolean {
  const condition = params.get("filter");
  try {
    if (condition !== undefined && evaluate(text(condition), input) !== true) return false;
    const overlays = list(params.get("overlays"));
    const values = overlays.map(({ key, expression }) => [text(key), evaluate(text(expression), input)] as const);
    input.extensions = { ...input.extensions, ...Object.fromEntries(values) };
    return true;
  } catch {
    // An expression that cannot be evaluated stops the event: a field is not there.
    return false;
  }
}

function isGenuine(
  kind: string,
  params: ReadonlyMap<string, unknown>,
  { headers, body }: Webhook,
  secrets: Readonly<Record<string, string>>,
): boolean {
  const types = textsIn(params.get("eventTypes"));
  if (!types.includes(headers[EVENT_HEADER[kind] ?? ""] ?? "")) return false;
  const secret = secrets[text(get(params.get("secretRef"), "secretKey"))];
  if (secret === undefined) return false;
  if (kind === "gitlab") return headers["X-Gitlab-Token"] === secret;
  const given = headers[kind === "github" ? "X-Hub-Signature-256" : "X-Hub-Signature"];
  return given === `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

/** `$(body.a.b)`; undefined when there is nothing there and the template's default counts. */
function resolve(expression: string, event: Value): string | undefined {
  const [, path = ""] = /^\$\(([\w.-]+)\)$/.exec(expression) ?? [];
  const value = path === "" ? undefined : get(event, ...path.split("."));
  return typeof value === "string" ? value : undefined;
}

function filled(value: unknown, params: Readonly<Record<string, string>>): unknown {
  if (typeof value === "string") {
    return value.replaceAll(/\$\(tt\.params\.([\w-]+)\)/g, (whole, name: string) => params[name] ?? whole);
  }
  if (Array.isArray(value)) return value.map((one) => filled(one, params));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filled(one, params)]));
}
