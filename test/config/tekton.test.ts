import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { loadConfiguration } from "../../src/config/load.ts";

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
    events: {pathSecretEnv: SINK, basic: {username: tekton, passwordFile: ../password}}
  lab: {events: {trusted: true, pathSecretFile: /run/path}}`);
  expect([...tekton.values()]).toEqual([
    {
      name: "main",
      kubernetes: { kind: "in-cluster" },
      namespaces: ["shop-ci"],
      pathSecret: undefined,
      basic: undefined,
    },
    {
      name: "edge",
      kubernetes: { kind: "kubeconfig", file: join("/etc/gitspan", "edge"), context: "edge" },
      namespaces: [],
      pathSecret: { env: "SINK" },
      basic: { username: "tekton", password: { file: resolve("/etc/gitspan", "../password") } },
    },
    { name: "lab", kubernetes: undefined, namespaces: [], pathSecret: { file: "/run/path" }, basic: undefined },
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
  ["{Main: {kubernetes: in-cluster}}", "names consist of"],
  ["{main: {kubernets: in-cluster}}", 'did you mean "kubernetes"'],
])("%s is refused", (tekton, message) => {
  expect(() => load(tekton)).toThrow(expect.objectContaining({ message: expect.stringContaining(message) }));
  expect(() => load(tekton)).not.toThrow(/hunter2/);
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
