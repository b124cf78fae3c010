import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { loadConfiguration } from "../../src/config/load.ts";
import { settingsOf } from "../../src/config/settings.ts";

const base = `
apiVersion: gitspan.dev/v1alpha1
kind: Bridge
database: {embedded: ./data}
repositories: {gitops: {url: "https://git.example.com/gitops"}}
`;
const load = (tekton: string, rest = "") =>
  loadConfiguration(`${base}tekton: ${tekton}\n${rest}`, "/etc/gitspan/g.yaml");

test("clusters that send events are resolved, with the places of their secrets", () => {
  const { tekton, hash } = load(`
  main: {kubernetes: in-cluster, namespaces: [shop-ci]}
  edge:
    kubernetes: {kubeconfigFile: ./edge, context: edge}
    audience: https://gitspan.example.com
    events: {pathSecretEnv: SINK, basic: {username: tekton, passwordFile: ../password}}
  lab: {events: {trusted: true, pathSecretFile: /run/path}}`);
  expect([...tekton.values()]).toEqual([
    {
      name: "main",
      kubernetes: { kind: "in-cluster" },
      namespaces: ["shop-ci"],
      audience: "gitspan",
      pathSecret: undefined,
      basic: undefined,
    },
    {
      name: "edge",
      kubernetes: { kind: "kubeconfig", file: join("/etc/gitspan", "edge"), context: "edge" },
      namespaces: [],
      audience: "https://gitspan.example.com",
      pathSecret: { env: "SINK" },
      basic: { username: "tekton", password: { file: resolve("/etc/gitspan", "../password") } },
    },
    {
      name: "lab",
      kubernetes: undefined,
      namespaces: [],
      audience: "gitspan",
      pathSecret: { file: "/run/path" },
      basic: undefined,
    },
  ]);
  expect(load("{lab: {events: {trusted: true}}}").hash).not.toBe(hash);
});

test.each([
  ["{main: {}}", "tekton.main: needs kubernetes, so that runs can be read again (or events: {trusted: true}"],
  ["{main: {events: {pathSecretEnv: A}}}", "tekton.main: needs kubernetes"],
  ["{main: {kubernetes: in-cluster, events: {trusted: true}}}", "tekton.main.events.trusted: is for a cluster whose"],
  [
    "{main: {kubernetes: in-cluster, events: {pathSecretEnv: A, pathSecretFile: b}}}",
    "needs only one of pathSecretFile",
  ],
  ["{main: {kubernetes: in-cluster, events: {basic: {username: t}}}}", "exactly one of passwordFile, passwordEnv"],
  ["{main: {kubernetes: in-cluster, events: {basic: {username: 't:x', passwordEnv: A}}}}", "without : and spaces"],
  ["{main: {kubernetes: in-cluster, events: {pathSecret: hunter2}}}", "use pathSecretFile or pathSecretEnv"],
  ["{main: {kubernetes: somewhere}}", "must be in-cluster, or a map with kubeconfigFile"],
  ["{main: {kubernetes: in-cluster, namespaces: [../x]}}", "must be a name as Kubernetes allows it"],
  ["{main: {kubernetes: in-cluster, namespaces: []}}", "must name at least one namespace"],
  ["{main: {kubernetes: in-cluster, audience: 'two words'}}", "visible ASCII characters"],
  ["{lab: {events: {trusted: true, pathSecretEnv: A}, watch: {}}}", "tekton.lab.watch: needs kubernetes"],
  ["{main: {kubernetes: in-cluster, watch: {since: yesterday}}}", "must be a time with a zone"],
  ["{main: {kubernetes: in-cluster, watch: {labels: {'a,b': c}}}}", "must be the key of a label"],
  ["{main: {kubernetes: in-cluster, watch: {labels: {a: 'b c'}}}}", "must be the value of a label"],
  ["{main: {kubernetes: in-cluster, watch: {selector: a}}}", "tekton.main.watch.selector"],
  ["{main: {kubernetes: in-cluster, results: {url: 'https://r', tokenFile: t}}}", "tekton.main.results: needs watch"],
  ["{main: {kubernetes: in-cluster, watch: {}, results: {url: 'https://r'}}}", "exactly one of tokenFile, tokenEnv"],
  [
    "{main: {kubernetes: in-cluster, watch: {}, results: {url: 'https://u:p@r', tokenFile: t}}}",
    "must not hold a user",
  ],
  ["{main: {kubernetes: in-cluster, runUrl: 'tekton/{name}'}}", "must be an address like"],
  ["{Main: {kubernetes: in-cluster}}", "names consist of"],
  ["{main: {kubernets: in-cluster}}", 'did you mean "kubernetes"'],
])("%s is refused", (tekton, message) => {
  expect(() => load(tekton)).toThrow(expect.objectContaining({ message: expect.stringContaining(message) }));
  expect(() => load(tekton)).not.toThrow(/hunter2/);
});

test("how the runs of a cluster are followed is resolved", () => {
  const { tekton } = load(`
  main:
    kubernetes: in-cluster
    watch: {labels: {gitspan.dev/deliver: "yes"}, since: "2026-01-31T12:00:00+01:00"}
    results: {url: "https://results.example.com:8080", tokenFile: ./token, caFile: ./ca.pem}
    runUrl: "https://tekton.example.com/#/namespaces/{namespace}/pipelineruns/{name}"
  edge: {kubernetes: in-cluster, watch: {}}`);
  expect(tekton.get("main")).toMatchObject({
    watch: { labels: { "gitspan.dev/deliver": "yes" }, since: Date.UTC(2026, 0, 31, 11) },
    results: {
      url: "https://results.example.com:8080",
      token: { file: "/etc/gitspan/token" },
      caFile: "/etc/gitspan/ca.pem",
    },
    runUrl: "https://tekton.example.com/#/namespaces/{namespace}/pipelineruns/{name}",
  });
  expect(tekton.get("edge")).toMatchObject({ watch: { labels: {}, since: undefined }, results: undefined });
});

test("access rules name the namespace of a cluster that there is", () => {
  const rule = (subject: string) =>
    `access: [{subject: "${subject}", actions: [deliver], apps: ["*"], environments: ["*"]}]`;
  const cluster = "{main: {kubernetes: in-cluster}}";
  expect(load(cluster, rule("tekton:main/shop-ci")).access).toHaveLength(1);
  expect(() => load(cluster, rule("tekton:mian/shop-ci"))).toThrow(/there is no Tekton cluster "mian".*main/s);
  expect(() => load(cluster, rule("tekton:main"))).toThrow(/tekton:CLUSTER\/NAMESPACE/);
  expect(() => load(cluster, rule("tekton:main/*"))).toThrow(/tekton:CLUSTER\/NAMESPACE/);
});

test("a service account is named with its cluster where there are several, and only there", () => {
  const rule = (subject: string) =>
    `access: [{subject: "serviceaccount:${subject}", actions: [deliver], apps: ["*"], environments: ["*"]}]`;
  const one = "{main: {kubernetes: in-cluster}, lab: {events: {trusted: true, pathSecretEnv: A}}}";
  const two = "{main: {kubernetes: in-cluster}, edge: {kubernetes: {kubeconfigFile: edge}}}";
  expect(load(one, rule("shop-ci/pipeline")).access).toHaveLength(1);
  expect(() => load(one, rule("main/shop-ci/pipeline"))).toThrow(/names a cluster, and there are not several/);
  expect(load(two, rule("edge/shop-ci/pipeline")).access).toHaveLength(1);
  expect(() => load(two, rule("shop-ci/pipeline"))).toThrow(/does not say of which cluster.*main, edge/s);
  expect(() => load(two, rule("egde/shop-ci/pipeline"))).toThrow(/there is no Tekton cluster "egde".*edge/s);
  expect(() => load(two, rule("a/b/c/d"))).toThrow(/must be token:NAME/);
});

test("the task that is believed about an image is that of the image's app", () => {
  const apps = `
environments: {dev: {}}
apps:
  web: {images: {web: r.example.com/web}, buildTask: build-web, targets: {dev: {kustomize: web}}}
  worker: {images: {worker: r.example.com/worker}, targets: {dev: {kustomize: worker}}}
  "{name}": {images: {app: "r.example.com/team/{name}"}, buildTask: kaniko, targets: {dev: {kustomize: "apps/{name}"}}}
`;
  const { names, takes } = settingsOf(load("{main: {kubernetes: in-cluster}}", apps)).buildTasks();
  expect([...names]).toEqual(["build-web", "build-image", "kaniko"]);
  const taken = ["r.example.com/web", "r.example.com/worker", "r.example.com/team/any", "r.example.com/other"].map(
    (repository) => [...names].filter((task) => takes(repository, task)),
  );
  expect(taken).toEqual([["build-web"], ["build-image"], ["kaniko"], ["build-image"]]);
  expect(() => load("{main: {kubernetes: in-cluster}}", apps.replace("kaniko", "Kaniko!"))).toThrow(/buildTask/);
});
