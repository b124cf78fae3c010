import { describe, expect, test } from "vitest";
import { annotationRules } from "../../src/config/annotated-settings.ts";
import { loadConfiguration } from "../../src/config/load.ts";
import { settingsOf } from "../../src/config/settings.ts";
import { type AnnotatedState, type AnnotatedTarget, NOT_ANNOTATED } from "../../src/model/annotated.ts";
import { aRule, SHOP } from "../fakes/annotated.ts";
import { aTarget } from "../fakes/examples.ts";

const HEAD = `
apiVersion: gitspan.dev/v1alpha1
kind: Bridge
database: {urlEnv: DATABASE_URL}
repositories: {gitops: {url: https://git.example.com/gitops}, more: {url: https://git.example.com/more}}
argocd: {main: {kubernetes: in-cluster}}
environments: {dev: {settle: 5s}, prod: {}}
`;
const FROM = `from: {repository: "https://git.example.com/shop/*", branches: [main]}`;
const ENTRY = `annotated: [{projects: [a], environments: [dev], paths: ["apps/*"], ${FROM}}]\n`;
const load = (text: string) => loadConfiguration(HEAD + text, "gitspan.yaml");
const { from } = aRule();

const source = { repository: "https://git.example.com/shop/web.git", commit: "c".repeat(40), ref: "refs/heads/main" };
const report = (...names: string[]) => ({
  artifacts: names.map((name) => ({ name, repository: `${SHOP}/${name}`, tag: "1" })),
  source,
});

function annotated(app: string, words: Partial<AnnotatedTarget["target"]> = {}): AnnotatedTarget {
  const images = [{ name: app, repository: `${SHOP}/${app}` }];
  return { target: aTarget({ id: `${app}/dev`, app, environment: "dev", images, ...words }), from };
}

const withState = (state: Partial<AnnotatedState>) => settingsOf(load(ENTRY), { ...NOT_ANNOTATED, ...state });

describe("an entry for annotated Applications", () => {
  test("has the policies of its environments, and all repositories where it names none", () => {
    const { annotated: rules } = load(ENTRY);
    expect(rules).toMatchObject([
      {
        projects: ["a"],
        environments: [{ name: "dev", policy: { settleMs: 5_000 } }],
        repositories: ["gitops", "more"],
        from: { repository: "https://git.example.com/shop/*", branches: ["main"], tags: [] },
      },
    ]);
    expect(annotationRules(load(ENTRY))).toMatchObject({ clusters: ["main"], targets: [] });
  });

  test.each([
    [`annotated: [{projects: [], environments: [dev], paths: [x], ${FROM}}]`, "must name at least one AppProject"],
    [`annotated: [{projects: [a], environments: [dev], paths: [x]}]`, "annotated[0].from: is missing"],
    [`annotated: [{projects: [a], environments: [dev], ${FROM}}]`, "annotated[0].paths: is missing"],
    [`annotated: [{projects: [a], environments: [dev], paths: [../x], ${FROM}}]`, "without .."],
    [`annotated: [{projects: [a], environments: [dve], paths: [x], ${FROM}}]`, 'there is no environment "dve"'],
    [`annotated: [{projects: [a], environments: [dev], paths: [x], repositories: [x], ${FROM}}]`, 'no repository "x"'],
    [`annotated: [{projects: [a], environments: [dev], paths: [x], path: x, ${FROM}}]`, 'did you mean "paths"?'],
    [
      `${ENTRY}apps: {"{name}": {images: {a: "r.io/{name}"}, targets: {dev: {kustomize: "{name}", repository: more}}}}`,
      "does not go with the app {name}",
    ],
  ])("%s is refused", (text, message) => {
    expect(() => load(text)).toThrow(message);
  });

  test("needs an Argo CD", () => {
    const text = (HEAD + ENTRY).replace(/^argocd:.*$/m, "");
    expect(() => loadConfiguration(text, "gitspan.yaml")).toThrow("needs an Argo CD");
  });

  test("is part of the configuration's hash, as are the targets that it has at the moment", () => {
    const hashes = [
      settingsOf(load("")).hash,
      withState({}).hash,
      withState({ targets: [annotated("web")] }).hash,
      withState({ targets: [annotated("web", { places: [] })] }).hash,
      withState({ targets: [annotated("web"), annotated("job")] }).hash,
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(withState({ targets: [annotated("job"), annotated("web")] }).hash).toBe(hashes.at(-1));
  });
});

describe("targets of annotated Applications", () => {
  test("take their builds, from where the entry says", () => {
    const settings = withState({ targets: [annotated("web"), annotated("job")] });
    expect(settings.match(report("web", "other"))).toMatchObject({
      matches: [{ target: { id: "web/dev" } }],
      misses: [],
    });
    const elsewhere = { ...source, repository: "https://git.example.com/evil/web.git" };
    expect(settings.match({ ...report("web"), source: elsewhere })).toMatchObject({
      matches: [],
      misses: [expect.stringContaining("wants builds from https://git.example.com/shop/*")],
    });
    expect([settings.target("web/dev")?.id, settings.targets().length]).toEqual(["web/dev", 2]);
  });

  test("never take the place of one that the configuration has", () => {
    const own = "apps: {web: {images: {web: r.io/web}, targets: {dev: {kustomize: web, repository: more}}}}";
    const settings = settingsOf(load(ENTRY + own), { ...NOT_ANNOTATED, targets: [annotated("web")] });
    expect(settings.target("web/dev")?.repository).toBe("more");
  });

  test("that cannot be written take no build, and say why; so do Applications that are none", () => {
    const misplaced = { code: "edit-not-found" as const, message: "no file has it", hint: "Write it." };
    const application = { cluster: "main", namespace: "argocd", name: "job" };
    const refused = [{ application, app: "job", images: [`${SHOP}/job`], message: "it may not", hint: "Ask." }];
    const settings = withState({ targets: [annotated("web", { misplaced })], refused });
    expect(settings.match(report("web", "job"))).toEqual({
      matches: [],
      misses: ["web/dev cannot be written: no file has it. Write it.", "it may not. Ask."],
    });
    expect(settings.target("web/dev")).toBeDefined();
  });

  test("that nearly match by the thousand are not all told", () => {
    const application = { cluster: "main", namespace: "argocd", name: "x" };
    const refused = Array.from({ length: 5_000 }, (_, index) => ({
      application,
      app: "x",
      images: [`${SHOP}/web`],
      message: `no ${index}`,
      hint: "Ask.",
    }));
    const { misses } = withState({ refused }).match(report("web"));
    expect([misses.length, misses.at(-1)]).toEqual([11, "4990 more annotated Applications did not"]);
  });

  test("that are not known yet keep builds from being answered, and nothing else", () => {
    const unknown = withState({ complete: false });
    expect(() => unknown.match(report("web"))).toThrow("Argo CD has not told its Applications yet");
    expect(unknown.undecided("any/dev")).toContain("Argo CD has not told");
    const undecided = [{ id: "web/dev", images: [`${SHOP}/web`], from, why: "not read" }];
    const settings = withState({ undecided });
    expect(() => settings.match(report("web"))).toThrow("not read");
    expect(settings.match(report("job"))).toEqual({ matches: [], misses: [] });
    const elsewhere = { ...source, repository: "https://git.example.com/evil/web.git" };
    expect(settings.match({ ...report("web"), source: elsewhere })).toEqual({ matches: [], misses: [] });
    expect([settings.undecided("web/dev"), settings.undecided("job/dev")]).toEqual(["not read", undefined]);
  });

  test("do not keep the configuration's own from being known", () => {
    const own = "apps: {web: {images: {web: r.io/web}, targets: {dev: {kustomize: web, repository: more}}}}";
    const settings = settingsOf(load(ENTRY + own), { ...NOT_ANNOTATED, complete: false });
    expect(settings.undecided("web/dev")).toBeUndefined();
  });
});
