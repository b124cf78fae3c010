import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { documentsIn, get, list, nameOf, ofKind, record, text, type Value } from "../../tasks/catalog.ts";
import { evaluate } from "../../tasks/cel.ts";
import { intercept, listen } from "../../tasks/listener.ts";
import { signed, type Webhook, webhooks } from "../../tasks/webhooks.ts";
import { program } from "../cluster/cache.ts";
import { Kube } from "../cluster/kube.ts";
import { environment, notOurs, runId } from "../fixtures/environment.ts";

const FORGES = ["github", "gitlab", "gitea", "bitbucket-cloud", "bitbucket-server"];
const SECRETS = Object.fromEntries(FORGES.map((forge) => [forge, `secret-of-${forge}`]));

if (notOurs !== undefined) console.log(`tekton/tools.e2e.test.ts is skipped: ${notOurs}`);

/** What the fast tests take for CEL and for bindings is our own; these are Tekton's. */
describe.skipIf(notOurs !== undefined)("Tekton's own evaluators", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "gitspan-e2e-tools-"));
  const namespace = `tools-${runId}`;
  const kube = new Kube(environment.kubeconfig, namespace);
  const Namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };

  beforeAll(async () => {
    await kube.apply(Namespace, ...documentsIn("trigger/templates.yaml"));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await kube.remove(Namespace);
  });
  const triggers = ofKind("Trigger").filter(({ file }) => !file.includes("samples"));
  const bindings = new Map(ofKind("TriggerBinding").map(({ object }) => [nameOf(object), object]));

  function file(name: string, content: string): string {
    const target = path.join(folder, name);
    writeFileSync(target, content);
    return target;
  }

  function request(webhook: Webhook): string {
    const headers = Object.entries(webhook.headers).map(([name, value]) => `${name}: ${value}`);
    const length = `Content-Length: ${Buffer.byteLength(webhook.body)}`;
    return ["POST / HTTP/1.1", "Host: listener", ...headers, length, "", webhook.body].join("\n");
  }

  /** Undefined for an error, as an event that is stopped. */
  function celEval(expression: string, webhook: Webhook): string | undefined {
    const args = ["-e", file("expression.txt", expression), "-r", file("request.txt", request(webhook))];
    try {
      return execFileSync(program("triggers-tools", "cel-eval"), args, {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
    } catch {
      return undefined;
    }
  }

  function ours(expression: string, webhook: Webhook): string | undefined {
    const body: unknown = JSON.parse(webhook.body);
    const header = Object.fromEntries(Object.entries(webhook.headers).map(([name, value]) => [name, [value]]));
    try {
      return String(evaluate(expression, { body: record(body), header, extensions: {} }));
    } catch {
      return undefined;
    }
  }

  /** Those that read nothing but the event. */
  function expressionsOf(trigger: Value): string[] {
    const cel = list(get(trigger, "spec", "interceptors")).filter((one) => get(one, "ref", "name") === "cel");
    const params = cel.flatMap((one) => list(one["params"]));
    const all = params.flatMap((param) =>
      nameOf(param) === "filter" ? [text(param["value"])] : list(param["value"]).map((one) => text(one["expression"])),
    );
    return all.filter((one) => !one.includes("extensions."));
  }

  it("agree with ours on every filter and overlay, for every webhook of the forge", () => {
    let compared = 0;
    for (const { object } of triggers) {
      const forge = nameOf(object).replace(/-(?:push|tag|pull-request)$/, "");
      for (const webhook of webhooks().filter((one) => one.forge === forge)) {
        for (const expression of expressionsOf(object)) {
          const theirs = celEval(expression, webhook);
          // An object is printed in a form of its own.
          const isObject = /\)?\[0\](?:\.new)?$/.test(expression);
          const mine = ours(expression, webhook);
          const what = `${nameOf(object)} ${webhook.name}: ${expression}`;
          expect(isObject ? theirs !== undefined : theirs, what).toBe(isObject ? mine !== undefined : mine);
          compared++;
        }
      }
    }
    expect(compared).toBeGreaterThan(200);
  });

  it("agree with ours on every binding of what a webhook starts", () => {
    const compared = new Set<string>();
    for (const webhook of webhooks().map((one) => signed(one, SECRETS[one.forge] ?? ""))) {
      for (const started of listen(webhook, SECRETS)) {
        const { object } = record(triggers.find((one) => nameOf(one.object) === started.trigger));
        const names = list(get(object, "spec", "bindings")).map((one) => text(one["ref"]));
        for (const name of names) {
          const given = bindingEval(record(bindings.get(name)), webhook);
          for (const [param, value] of Object.entries(given)) {
            expect(value, `${name} ${webhook.name} ${param}`).toBe(started.params[param]);
          }
          compared.add(name);
        }
        expect(intercept(record(object), webhook, SECRETS)).toBeDefined();
      }
    }
    expect(compared.size).toBeGreaterThan(7);
  });

  it("make the same run as ours of what a webhook starts", async () => {
    const seen = new Set<string>();
    for (const webhook of webhooks().map((one) => signed(one, SECRETS[one.forge] ?? ""))) {
      for (const { trigger, params, run } of listen(webhook, SECRETS).filter((one) => !seen.has(one.trigger))) {
        seen.add(trigger);
        expect(await triggerRun(trigger, params, webhook), trigger).toEqual(run);
      }
    }
    expect(seen.size).toBeGreaterThan(8);
  });

  /** It calls no interceptors: what they add is put into a copy of the binding. */
  async function triggerRun(
    name: string,
    params: Readonly<Record<string, string>>,
    webhook: Webhook,
  ): Promise<unknown> {
    const trigger = record(triggers.find(({ object }) => nameOf(object) === name)?.object);
    const [ref] = list(get(trigger, "spec", "bindings")).map((one) => text(one["ref"]));
    const values = list(get(bindings.get(ref ?? ""), "spec", "params")).map((param) => ({
      name: nameOf(param),
      value: text(param["value"]).startsWith("$(extensions.") ? (params[nameOf(param)] ?? "") : text(param["value"]),
    }));
    const apiVersion = "triggers.tekton.dev/v1beta1";
    await kube.apply({ apiVersion, kind: "TriggerBinding", metadata: { name }, spec: { params: values } });
    const spec = { bindings: [{ ref: name, kind: "TriggerBinding" }], template: get(trigger, "spec", "template") };
    const content = stringify({ apiVersion, kind: "Trigger", metadata: { name, namespace }, spec });
    const args = ["-t", file("trigger.yaml", content), "-r", file("request.txt", request(webhook)), "-a", "show"];
    const printed = execFileSync(program("triggers-tools", "triggerrun"), [...args, "-k", environment.kubeconfig], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return parse(printed.slice(printed.indexOf("---\n") + 4));
  }

  /** It knows neither extensions nor the defaults of a template: parameters from those are left out. */
  function bindingEval(binding: Value, webhook: Webhook): Record<string, string> {
    const params = list(get(binding, "spec", "params")).filter((param) => {
      const value = text(param["value"]);
      const [, header = ""] = /^\$\(header\.([\w-]+)\)$/.exec(value) ?? [];
      return value.startsWith("$(body.") || webhook.headers[header] !== undefined;
    });
    if (params.length === 0) return {};
    const content = stringify({ ...binding, spec: { params } });
    const args = ["-b", file("binding.yaml", content), "-r", file("request.txt", request(webhook))];
    const printed: unknown = JSON.parse(
      execFileSync(program("triggers-tools", "binding-eval"), args, { encoding: "utf8" }),
    );
    return Object.fromEntries(list(printed).map((param) => [nameOf(param), text(param["value"])]));
  }
});
