import { expect, test } from "vitest";
import { findApplications, sourcesOf } from "../../src/argocd/applications.ts";
import { type ApplicationSource, applicationsAt } from "../../src/model/application.ts";
import { isSameRepository } from "../../src/model/repository-url.ts";
import { snapshot } from "./judging.ts";
import { eventsOf } from "./recordings.ts";

const repositoryUrl = "https://git.example.com/platform/gitops.git";

function application(name: string, ...sources: Partial<ApplicationSource>[]) {
  return snapshot({
    ref: { cluster: "main", namespace: "argocd", name },
    sources: sources.map((source) => ({ repoURL: repositoryUrl, targetRevision: "main", ...source })),
  });
}

function found(applications: ReturnType<typeof application>[], ...paths: string[]): string[] {
  const wanted = { repositoryUrl, branch: "main", paths };
  return applicationsAt(findApplications(applications, wanted), paths).map(({ name }) => name);
}

test("addresses of one repository are equal in every form", () => {
  const same = [
    "https://git.example.com/platform/gitops.git",
    "https://GIT.example.com/platform/gitops",
    "https://git.example.com/platform/gitops/",
    "https://user:secret@git.example.com/platform/gitops.git",
    "git@git.example.com:platform/gitops.git",
    "ssh://git@git.example.com:2222/platform/gitops.git",
    "https://git.example.com:443/platform//gitops.git/",
  ];
  for (const url of same) expect(isSameRepository(url, repositoryUrl), url).toBe(true);
  for (const url of [
    "https://git.example.com/platform/gitops2",
    "https://git.example.com/Platform/gitops",
    "https://git.example.com:8443/platform/gitops",
    "https://other.example.com/platform/gitops",
    "",
    "not a url",
  ]) {
    expect(isSameRepository(url, repositoryUrl), url).toBe(false);
  }
});

test("an Application whose path is the file's directory renders it", () => {
  const all = [application("dev", { path: "apps/shop/dev" }), application("prod", { path: "apps/shop/prod/" })];
  expect(found(all, "apps/shop/dev/kustomization.yaml")).toEqual(["dev"]);
  expect(found(all, "apps/shop/prod/kustomization.yaml", "apps/shop/dev/kustomization.yaml")).toEqual(["prod", "dev"]);
});

test("the exact path beats one above, which beats overlays below", () => {
  const exact = application("exact", { path: "apps/shop" });
  const above = application("above", { path: "apps" });
  const below = application("below", { path: "apps/shop/eu" });
  expect(found([exact, above, below], "apps/shop/kustomization.yaml")).toEqual(["exact"]);
  expect(found([above, below], "apps/shop/kustomization.yaml")).toEqual(["above"]);
  expect(found([below], "apps/shop/kustomization.yaml")).toEqual(["below"]);
  expect(found([below], "kustomization.yaml")).toEqual([]);
});

test("names that only begin alike are no match", () => {
  expect(found([application("x", { path: "apps/shop-2" })], "apps/shop/kustomization.yaml")).toEqual([]);
});

test("the branch counts; HEAD and nothing mean the default branch", () => {
  const path = "apps/shop";
  const all = [
    application("main", { path }),
    application("head", { path, targetRevision: "HEAD" }),
    application("full", { path, targetRevision: "refs/heads/main" }),
    application("next", { path, targetRevision: "next" }),
    application("chart", { path, chart: "shop" }),
    application("foreign", { path, repoURL: "https://git.example.com/else/where.git" }),
  ];
  expect(found(all, "apps/shop/kustomization.yaml")).toEqual(["main", "head", "full"]);
});

test("a Helm value file is rendered by those that name it", () => {
  const all = [
    application("prod", { path: "charts/shop", valueFiles: ["values-prod.yaml"] }),
    application("dev", { path: "charts/shop", valueFiles: ["values-dev.yaml"] }),
    application("root", { path: "charts/shop", valueFiles: ["/charts/shop/values-prod.yaml"] }),
  ];
  expect(found(all, "charts/shop/values-prod.yaml")).toEqual(["prod", "root"]);
  expect(found(all, "charts/shop/values.yaml")).toEqual(["prod", "dev", "root"]);
});

test("a value file outside of the chart is rendered by those that name it, too", () => {
  const all = [
    application("prod", { path: "charts/shop", valueFiles: ["../../environments/prod.yaml"] }),
    application("root", { path: "charts/shop", valueFiles: ["/environments/prod.yaml"] }),
    application("dev", { path: "charts/shop", valueFiles: ["../../environments/dev.yaml"] }),
  ];
  expect(found(all, "environments/prod.yaml")).toEqual(["prod", "root"]);
});

test("each file is answered on its own, ten thousand Applications for a thousand files in one go", () => {
  const all = Array.from({ length: 10_000 }, (_, index) => application(`app-${index}`, { path: `apps/${index}/prod` }));
  const paths = Array.from({ length: 1_000 }, (_, index) => `apps/${index * 7}/prod/kustomization.yaml`);
  const startedAt = performance.now();
  const answer = findApplications(all, { repositoryUrl, branch: "main", paths: [...paths, "apps/none/x.yaml"] });
  expect(paths.every((path, index) => answer.get(path)?.[0]?.name === `app-${index * 7}`)).toBe(true);
  expect(answer.get("apps/none/x.yaml")).toEqual([]);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});

test("a $values reference of another source is followed, as recorded", () => {
  const [first] = eventsOf("o", "multi-dev");
  if (first === undefined) throw new Error("nothing recorded");
  const wanted = { repositoryUrl: "http://127.0.0.1:3000/platform/values.git", branch: "main" };
  expect(sourcesOf(first.snapshot, { ...wanted, paths: ["multi/dev/values.yaml"] })).toEqual([1]);
  expect(sourcesOf(first.snapshot, { ...wanted, paths: ["multi/prod/values.yaml"] })).toEqual([]);
});
