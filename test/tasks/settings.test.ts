import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { documentsIn, get, list, record, shipped, text, textsIn, type Value } from "./catalog.ts";

const GOLDEN = path.join(import.meta.dirname, "../golden/tasks/config-keys.json");

/** Names that the programs themselves know: a setting with a slip in it would be ignored by all of them. */
function known(): Record<string, string[]> {
  const parsed: unknown = JSON.parse(readFileSync(GOLDEN, "utf8"));
  return Object.fromEntries(Object.entries(record(parsed)).map(([name, keys]) => [name, textsIn(keys)]));
}

function data(file: string): Value {
  const [object] = documentsIn(file);
  return record(object?.["data"]);
}

describe("settings of Tekton Chains", () => {
  it.each(["chains/chains-config.yaml", "chains/chains-config-keyless.yaml"])(
    "in %s are ones that it knows",
    (file) => {
      expect(known()["chains"]).toEqual(expect.arrayContaining(Object.keys(data(file))));
    },
  );

  it("store provenance in the registry, in a form that names the SLSA predicate 1.0", () => {
    for (const file of ["chains/chains-config.yaml", "chains/chains-config-keyless.yaml"]) {
      for (const kind of ["taskrun", "pipelinerun"]) {
        expect(data(file)).toMatchObject({
          [`artifacts.${kind}.storage`]: "oci",
          [`artifacts.${kind}.format`]: expect.stringMatching(/^slsa\/v2alpha[34]$/),
        });
      }
    }
  });

  it("without a key have a transparency log, and the token where the Deployment puts it", () => {
    const keyless = data("chains/chains-config-keyless.yaml");
    expect(keyless).toMatchObject({ "transparency.enabled": "true", "signers.x509.fulcio.enabled": "true" });
    const [patch] = documentsIn("chains/keyless-token.yaml");
    const pod = record(get(patch, "spec", "template", "spec"));
    const [mount] = list(pod["containers"]).flatMap((one) => list(one["volumeMounts"]));
    expect(keyless["signers.x509.identity.token.file"]).toBe(`${text(mount?.["mountPath"])}/token`);
  });
});

describe("settings of Tekton Results", () => {
  it("are variables that its API knows, each once", () => {
    const lines = text(data("results/api-config.yaml")["config"]).trim().split("\n");
    const names = lines.map((line) => line.split("=")[0] ?? "");
    expect(known()["resultsApi"]).toEqual(expect.arrayContaining(names));
    expect(new Set(names).size).toBe(names.length);
  });

  it("are keys that its retention policy knows, and policies for the labels that runs have", () => {
    const retention = data("results/retention.yaml");
    expect(known()["resultsRetention"]).toEqual(expect.arrayContaining(Object.keys(retention)));
    const policies: unknown = parse(text(retention["policies"]));
    const labels = list(policies).flatMap((policy) =>
      textsIn(get(policy, "selector", "matchLabels", "gitspan.dev/pipeline")),
    );
    const runs = documentsIn("trigger/templates.yaml").flatMap((template) =>
      list(get(template, "spec", "resourcetemplates")).flatMap((run) => textsIn(get(run, "metadata", "labels"))),
    );
    expect(labels.toSorted()).toEqual(runs.toSorted());
  });

  it("are flags that its watcher knows", () => {
    const [patch] = documentsIn("results/watcher.yaml");
    const args = list(get(patch, "spec", "template", "spec", "containers")).flatMap((one) => textsIn(one["args"]));
    const flags = args.filter((arg) => arg.startsWith("-")).map((arg) => arg.replace(/^-+/, "").replace(/=.*/, ""));
    expect(flags.length).toBeGreaterThan(3);
    expect(known()["resultsWatcher"]).toEqual(expect.arrayContaining(flags));
  });
});

describe("annotations for Pipelines as Code", () => {
  it("are ones that it knows", () => {
    const prefix = "pipelinesascode.tekton.dev/";
    const runs = shipped().filter(({ file }) => file.startsWith("pac/.tekton/"));
    expect(runs).toHaveLength(2);
    for (const { file, object } of runs) {
      const keys = Object.keys(record(get(object, "metadata", "annotations")));
      const names = keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
      expect(names.length, file).toBeGreaterThan(2);
      expect(known()["pipelinesAsCode"], file).toEqual(expect.arrayContaining(names));
    }
  });
});
