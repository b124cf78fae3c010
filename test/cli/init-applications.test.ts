import { describe, expect, test } from "vitest";
import { toSources } from "../../src/argocd/snapshot.ts";
import { applicationsOf } from "../../src/cli/init-applications.ts";
import { initialApps } from "../../src/cli/init-apps.ts";
import { initialConfiguration } from "../../src/cli/init-config.ts";
import type { Origin } from "../../src/cli/init-words.ts";
import { loadConfiguration } from "../../src/config/load.ts";
import { formatApplicationRef } from "../../src/model/application.ts";
import { discover } from "../../src/overlays/discover.ts";

const URL = "https://git.example.com/org/gitops.git";
const entry = (...names: string[]) =>
  `images:\n${names.map((name) => `- {name: r.io/${name}, newTag: v1}\n`).join("")}`;
const values = (name: string) => `image: {repository: r.io/${name}, tag: v1}\n`;

interface Seen {
  name: string;
  source?: object;
  sources?: object[];
  namespace?: string;
  to?: { cluster?: string; namespace?: string };
}

/** The targets of the configuration that would be written. */
function init(tree: Record<string, string>, seen: readonly Seen[], origin: Origin = { url: URL, branch: "main" }) {
  const files = new Map(Object.entries(tree));
  const applications = seen.map(({ name, source, sources, namespace = "argocd", to = {} }) => ({
    name,
    namespace,
    project: "default",
    sources: toSources({
      ...(source === undefined ? {} : { source: { repoURL: URL, targetRevision: "main", ...source } }),
      ...(sources === undefined ? {} : { sources }),
    }),
    destination: { cluster: "", namespace: "", ...to },
  }));
  const found = applicationsOf(files, applications, origin);
  const apps = initialApps(discover(files).places, found.applications);
  const text = initialConfiguration(apps, { url: URL }, { server: "https://argocd.example.com", tokenFile: "/token" });
  const { targets } = loadConfiguration(text, "gitspan.yaml");
  return {
    text,
    remarks: found.remarks,
    url: found.url,
    targets: Object.fromEntries(
      targets.map(({ id, images, places, applications: refs = [] }) => [
        id,
        [images.map(({ repository }) => repository).join(), places, refs.map(formatApplicationRef).join()],
      ]),
    ),
  };
}

const kustomize = (directory: string, image?: string) => ({ format: "kustomize", directory, ...(image && { image }) });

describe("a first configuration from Applications", () => {
  test("has an app for the Applications of one name, each with its environment and its file", () => {
    const tree = { "a/1/kustomization.yaml": entry("web", "job"), "a/2/kustomization.yaml": entry("web", "job") };
    const { targets, text } = init(tree, [
      { name: "shop-dev", source: { path: "a/1" } },
      { name: "prod.shop", source: { path: "a/2" }, namespace: "teams" },
    ]);
    expect(targets).toEqual({
      "shop/dev": ["r.io/job,r.io/web", [kustomize("a/1")], "main/argocd/shop-dev"],
      "shop/prod": ["r.io/job,r.io/web", [kustomize("a/2")], "main/teams/prod.shop"],
    });
    expect(text).toContain("argocd:\n  main: {server: https://argocd.example.com, tokenFile: /token}");
  });

  test("reads the environment from the folder, the namespace or the cluster where the name has none", () => {
    const tree = Object.fromEntries(
      ["x/staging", "y", "z"].map((path, at) => [`${path}/kustomization.yaml`, entry(`i${at}`)]),
    );
    const { targets } = init(tree, [
      { name: "one", source: { path: "x/staging" } },
      { name: "two", source: { path: "y" }, to: { namespace: "shop-qa" } },
      { name: "three", source: { path: "z" }, to: { cluster: "live" } },
    ]);
    expect(Object.keys(targets).toSorted()).toEqual(["one/staging", "three/live", "two/qa"]);
  });

  test("has values files, also those of another source, and never the base that others share", () => {
    const tree = {
      "chart/Chart.yaml": "name: web\n",
      "chart/values.yaml": values("web"),
      "env/dev.yaml": values("web"),
      "base/kustomization.yaml": entry("web"),
    };
    const sources = [
      { repoURL: "https://charts.example.com", chart: "web", helm: { valueFiles: ["$v/env/dev.yaml"] } },
      { repoURL: URL, targetRevision: "main", ref: "v" },
    ];
    expect(init(tree, [{ name: "web-dev", sources }]).targets).toEqual({
      "web/dev": ["r.io/web", [{ format: "helm", file: "env/dev.yaml" }], "main/argocd/web-dev"],
    });
  });

  test("puts Applications that have one file written into one target", () => {
    const tree = { "a/kustomization.yaml": entry("web") };
    const both = ["eu-dev", "us-dev"].map((name) => ({ name, source: { path: "a" } }));
    expect(init(tree, both).targets).toEqual({
      "eu/dev": ["r.io/web", [kustomize("a")], "main/argocd/eu-dev,main/argocd/us-dev"],
    });
  });

  test("keeps images apart that are not in the same environments, and says which file is whose", () => {
    const tree = {
      "a/kustomization.yaml": entry("web", "debug"),
      "b/kustomization.yaml": "resources: [pod.yaml, job.yaml]\n",
      "b/pod.yaml": "kind: Pod\nspec: {containers: [{image: r.io/web:v1}]}\n",
      "b/job.yaml": "kind: Job\nspec: {containers: [{image: r.io/job:v1}]}\n",
    };
    const { targets } = init(tree, [
      { name: "shop-dev", source: { path: "a" } },
      { name: "shop-prod", source: { path: "b" } },
    ]);
    expect(targets).toEqual({
      "shop/dev": ["r.io/debug", [kustomize("a")], "main/argocd/shop-dev"],
      "shop-job/prod": ["r.io/job", [{ format: "raw", file: "b/job.yaml" }], "main/argocd/shop-prod"],
      "shop-web/dev": ["r.io/web", [kustomize("a")], "main/argocd/shop-dev"],
      "shop-web/prod": ["r.io/web", [{ format: "raw", file: "b/pod.yaml" }], "main/argocd/shop-prod"],
    });
    const pods = {
      "a/one.yaml": "kind: Pod\nspec: {containers: [{image: r.io/web:v1}]}\n",
      "a/two.yaml": "kind: Pod\nspec: {containers: [{image: r.io/job:v1}]}\n",
    };
    expect(init(pods, [{ name: "shop-dev", source: { path: "a" } }]).targets).toEqual({
      "shop/dev": [
        "r.io/job,r.io/web",
        [
          { format: "raw", file: "a/two.yaml", image: "r.io/job" },
          { format: "raw", file: "a/one.yaml", image: "r.io/web" },
        ],
        "main/argocd/shop-dev",
      ],
    });
  });

  test("leaves out other repositories, other branches and charts, and keeps images that no Application has", () => {
    const tree = { "a/dev/kustomization.yaml": entry("web") };
    const { targets, url } = init(tree, [
      { name: "one", source: { path: "a/dev", repoURL: "https://git.example.com/other.git" } },
      { name: "two", source: { path: "a/dev", targetRevision: "next" } },
      { name: "three", source: { chart: "web", path: undefined } },
      { name: "four", source: { path: "nowhere" } },
    ]);
    expect([targets, url]).toEqual([{ "web/dev": ["r.io/web", [kustomize("a/dev")], ""] }, undefined]);
  });

  test("takes the repository's address from most of the Applications where the clone has none", () => {
    const tree = { "a/kustomization.yaml": entry("web"), "b/kustomization.yaml": entry("job") };
    const other = { repoURL: "https://git.example.com/fork.git" };
    const { url, targets } = init(
      tree,
      [
        { name: "web", source: { path: "a" } },
        { name: "job", source: { path: "b" } },
        { name: "fork", source: { path: "a", ...other } },
      ],
      {},
    );
    expect([url, Object.values(targets).map((target) => target[2])]).toEqual([
      URL,
      ["main/argocd/job", "main/argocd/web"],
    ]);
  });

  test("says what is not certain", () => {
    const tree = {
      "a/kustomization.yaml": "components: [c]\nresources: [pod.yaml]\n",
      "a/c/kustomization.yaml": entry("web"),
      "a/pod.yaml": "kind: Pod\nspec: {containers: [{image: r.io/web:v1}]}\n",
    };
    const { remarks } = init(tree, [{ name: "web", source: { path: "a" } }]);
    expect(remarks).toEqual([
      expect.stringMatching(/^Application argocd\/web: .* say which r.io\/web runs. Add an entry/),
    ]);
  });
});
