import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { toSnapshot } from "../../src/argocd/snapshot.ts";
import { loadConfiguration } from "../../src/config/load.ts";

const FOLDER = "argocd";
interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; annotations?: Record<string, string> };
  spec: Record<string, unknown>;
  rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
  roleRef: { kind: string; name: string };
  subjects: { kind: string; name: string; namespace: string }[];
  data: Record<string, string>;
  resources?: string[];
  patches?: { path: string }[];
}

const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".yaml"));
const documentsOf = (file: string): Manifest[] =>
  parseAllDocuments(readFileSync(`${FOLDER}/${file}`, "utf8"), { uniqueKeys: true }).map((document) => {
    expect(document.errors, file).toEqual([]);
    return document.toJS() as Manifest;
  });
const read = (file: string): Manifest => documentsOf(file)[0]!;
const readme = readFileSync(`${FOLDER}/README.md`, "utf8");

test("every file is YAML, and every object says what and where it is", () => {
  expect(files).toHaveLength(11);
  for (const file of files) {
    for (const { apiVersion, kind, metadata } of documentsOf(file)) {
      expect([apiVersion, kind], file).not.toContain(undefined);
      if (["Kustomization", "Component"].includes(kind)) continue;
      expect(metadata.name, file).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(metadata.namespace, file).toBe("argocd");
    }
  }
});

test("kustomizations name files that are there, all but the one that is opted into", () => {
  const access = read("access/kustomization.yaml").resources ?? [];
  const settings = (read("settings/kustomization.yaml").patches ?? []).map(({ path }) => path);
  const named = [...access.map((file) => `access/${file}`), ...settings.map((file) => `settings/${file}`)];
  const there = files.filter((file) => file.includes("/") && !file.endsWith("kustomization.yaml"));
  expect(there.filter((file) => !named.includes(file))).toEqual(["access/refresh-by-annotation.yaml"]);
  expect(named.filter((file) => !there.includes(file))).toEqual([]);
});

test("the Role reads and nothing else; patching is a Role of its own", () => {
  const { rules } = read("access/role.yaml");
  expect(rules).toEqual([
    { apiGroups: ["argoproj.io"], resources: ["applications"], verbs: ["get", "list", "watch"] },
    { apiGroups: ["argoproj.io"], resources: ["applicationsets"], verbs: ["get"] },
  ]);
  const [patching, binding] = documentsOf("access/refresh-by-annotation.yaml");
  expect(patching?.rules).toEqual([{ apiGroups: ["argoproj.io"], resources: ["applications"], verbs: ["patch"] }]);
  for (const bound of [read("access/role-binding.yaml"), binding!]) {
    expect(bound.roleRef).toMatchObject({ kind: "Role", name: bound.metadata.name });
    expect(bound.subjects).toEqual([{ kind: "ServiceAccount", name: "gitspan", namespace: "gitspan" }]);
  }
});

test("the account may get, and is in the role that may", () => {
  expect(read("settings/argocd-cm.yaml").data["accounts.gitspan"]).toBe("apiKey");
  const policy = read("settings/argocd-rbac-cm.yaml").data["policy.gitspan.csv"] ?? "";
  const rules = policy
    .trim()
    .split("\n")
    .map((line) => line.split(",").map((part) => part.trim()));
  expect(
    rules
      .filter(([type]) => type === "p")
      .every(([, role, , verb, , effect]) => role === "role:gitspan" && verb === "get" && effect === "allow"),
  ).toBe(true);
  expect(rules).toContainEqual(["g", "gitspan", "role:gitspan"]);
  expect(rules).toHaveLength(3);
});

test("the Application fits its project", () => {
  const project = read("project.yaml");
  const { spec } = read("application.yaml");
  const { repoURL } = spec["source"] as { repoURL: string };
  expect(spec["project"]).toBe(project.metadata.name);
  expect(project.spec["sourceRepos"]).toContain(repoURL);
  expect(project.spec["destinations"]).toContainEqual(spec["destination"]);
  const kinds = (project.spec["namespaceResourceWhitelist"] as { kind: string }[]).map(({ kind }) => kind);
  for (const file of ["access/role.yaml", "access/role-binding.yaml"]) expect(kinds).toContain(read(file).kind);
  expect(toSnapshot("main", read("application.yaml"))).toMatchObject({
    ref: { name: "gitspan", namespace: "argocd" },
    automated: true,
    sources: [{ path: "platform/gitspan" }],
  });
});

test("links, triggers and templates belong together, and lead to deliveries by commit", () => {
  const links = parse(read("settings/argocd-cm.yaml").data["application.links"] ?? "") as Record<string, string>[];
  const { data } = read("settings/argocd-notifications-cm.yaml");
  const triggers = parse(data["trigger.gitspan-settled"] ?? "") as { send: string[]; when: string; oncePer: string }[];
  const templates = triggers.flatMap(({ send }) => send).map((name) => data[`template.${name}`] ?? "");
  expect(Object.keys(data)).toHaveLength(1 + templates.length);
  const texts = [
    ...links.map(({ url = "" }) => url),
    ...templates.map((text) => (parse(text) as { message: string }).message),
  ];
  expect(texts).toHaveLength(4);
  for (const text of texts) expect(text).toMatch(/\/v1\/deliveries\?commit=\{\{\.app\.status\.[\w.]+\}\}/);
  // A status that is not there yet must not be an error.
  for (const { when, oncePer } of triggers) {
    expect(when).toMatch(/^app\.status\.operationState != nil and /);
    expect(oncePer).toMatch(/^app\.status\.operationState\./);
  }
  expect(links.every((link) => link["if"]?.includes("!= nil"))).toBe(true);
});

test("notices and the subscription are annotations that Argo CD reads", () => {
  const set = read("applicationset.yaml").spec["template"] as { metadata: { annotations: Record<string, string> } };
  for (const annotations of [read("application.yaml").metadata.annotations ?? {}, set.metadata.annotations]) {
    expect(annotations["notice.argocd.argoproj.io/content"]?.length).toBeLessThanOrEqual(500);
    expect(annotations["notice.argocd.argoproj.io/severity"]).toMatch(/^(?:info|warning|critical)$/);
    expect(annotations["notice.argocd.argoproj.io/url"]).toMatch(/^https:\/\//);
  }
  expect(Object.keys(set.metadata.annotations)).toContain("notifications.argoproj.io/subscribe.gitspan-settled.slack");
});

test("the README's configuration loads but for what it leaves out, and its links lead somewhere", () => {
  const [, text = ""] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
  const rest =
    "apiVersion: gitspan.dev/v1alpha1\nkind: Bridge\nlisten: 127.0.0.1:8484\ndatabase: {embedded: ./data}\nrepositories: {gitops: {url: 'https://git.example.com/platform/gitops.git'}}\nenvironments: {prod: {}}\napps: {}\n";
  const { argocd } = loadConfiguration(`${rest}${text}`, "README.md");
  expect(argocd.get("main")?.namespaces).toEqual(["argocd"]);
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1] ?? "");
  expect(links.filter((link) => !existsSync(`${FOLDER}/${link}`))).toEqual([]);
  expect(links).toContain("applicationset.yaml");
});

test("the ApplicationSet's example configuration is one that loads", () => {
  const text = readFileSync(`${FOLDER}/applicationset.yaml`, "utf8");
  const [, apps = ""] = /^# +(apps: .*)$/m.exec(text) ?? [];
  const loaded = loadConfiguration(
    `apiVersion: gitspan.dev/v1alpha1\nkind: Bridge\nlisten: 127.0.0.1:8484\ndatabase: {embedded: ./data}
repositories: {gitops: {url: "https://git.example.com/platform/gitops.git"}}\nenvironments: {staging: {}, prod: {}}\n${apps}\n`,
    "example",
  );
  expect(loaded.file).toBe("example");
});
