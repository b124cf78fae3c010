import { expect, test } from "vitest";
import type { Artifact, Source } from "../../src/model/build.ts";
import { type AppRule, matchBuild, matchesPattern, type SourceRule } from "../../src/model/match.ts";
import { isSameRepository } from "../../src/model/repository-url.ts";
import type { Target } from "../../src/model/target.ts";

const digest = `sha256:${"a".repeat(64)}` as const;
const other = `sha256:${"b".repeat(64)}` as const;

function target(app: string, environment: string, images: Record<string, string>): Target {
  return {
    id: `${app}/${environment}`,
    app,
    environment,
    repository: "gitops",
    branch: "main",
    images: Object.entries(images).map(([name, repository]) => ({ name, repository })),
    places: [{ format: "kustomize", directory: `${app}/${environment}` }],
    applications: undefined,
    policy: { settleMs: 1, degradedMs: 1, timeoutMs: 1, expireAfterMs: 1 },
  };
}

const images = { web: "r.example.com/shop/web", worker: "r.example.com/shop/worker" };
const targets = [
  target("shop", "dev", images),
  target("shop", "prod", images),
  target("blog", "dev", { blog: "r.example.com/blog" }),
];
const rule: SourceRule = {
  repository: "https://git.example.com/shop.git",
  branches: ["main", "release/*"],
  tags: ["v*"],
};

function match(artifacts: Artifact[], source: Partial<Source> = {}, from: SourceRule | undefined = rule) {
  const apps: AppRule[] = [{ name: "shop", from }, { name: "blog" }];
  const report = {
    artifacts,
    source: { repository: "https://git.example.com/shop", commit: "c", ref: "refs/heads/main", ...source },
  };
  return matchBuild({ apps, targets }, report);
}

const web: Artifact = { name: "image", repository: images.web, tag: "1.2", digest };

test("a build goes to every target of the app, with the images that it made", () => {
  const { matches, misses } = match([web]);
  expect(misses).toEqual([]);
  expect(matches.map((found) => [found.target.id, found.images])).toEqual([
    ["shop/dev", [{ name: "web", repository: images.web, tag: "1.2", digest }]],
    ["shop/prod", [{ name: "web", repository: images.web, tag: "1.2", digest }]],
  ]);
});

test("images are found by their whole repository, whatever the build calls them", () => {
  expect(match([{ name: "web", repository: "shop/web", tag: "1" }]).matches).toEqual([]);
  expect(match([{ name: "x", repository: images.worker, digest }]).matches[0]?.images).toEqual([
    { name: "worker", repository: images.worker, digest },
  ]);
});

test.each([
  ["refs/heads/main", true],
  ["refs/heads/release/1/2", true],
  ["refs/tags/v1.0", true],
  ["refs/heads/v1.0", false],
  ["refs/tags/main", false],
  ["main", false],
])("the ref %s is taken: %s", (ref, taken) => {
  expect(match([web], { ref }).matches.length > 0).toBe(taken);
});

test("a miss says what the app wants and what the build is", () => {
  expect(match([web], { ref: "refs/heads/dev" }).misses).toEqual([
    "app shop wants branch main or release/*, or tag v*, the build is from refs/heads/dev",
  ]);
  expect(match([web], { ref: undefined }, { ...rule, tags: [] }).misses).toEqual([
    "app shop wants branch main or release/*, the build does not say its branch or tag",
  ]);
  expect(match([web], { repository: "https://u:secret@git.example.com/fork" }).misses).toEqual([
    "app shop wants builds from https://git.example.com/shop.git, the build is from https://git.example.com/fork",
  ]);
});

test("a rule without branches and tags takes every ref of its repository, and no rule takes everything", () => {
  const anyRef = { repository: rule.repository, branches: [], tags: [] };
  expect(match([web], { ref: undefined }, anyRef).matches).toHaveLength(2);
  expect(
    match([{ name: "b", repository: "r.example.com/blog", tag: "1" }], { repository: "git@x:y" }).matches,
  ).toHaveLength(1);
});

test("one repository with two different values is not guessed at", () => {
  expect(match([web, { ...web, tag: "latest" }]).matches[0]?.images[0]?.tag).toBe("1.2");
  const { matches, misses } = match([web, { ...web, digest: other }]);
  expect(matches).toEqual([]);
  expect(misses).toEqual([
    "app shop cannot tell which image is meant: the build names r.example.com/shop/web more than once, with different values",
  ]);
});

test.each([
  ["https://Git.Example.com/shop/web.git", "https://git.example.com/shop/web/", true],
  ["https://user:pw@git.example.com/shop/web", "git@git.example.com:shop/web.git", true],
  ["ssh://git@git.example.com:2222/shop/web.git", "https://git.example.com/shop/web", true],
  ["https://git.example.com:443/shop/web", "https://git.example.com//shop/web", true],
  ["https://git.example.com:8443/shop/web", "https://git.example.com/shop/web", false],
  ["https://git.example.com/Shop/web", "https://git.example.com/shop/web", false],
  ["https://git.example.com/shop/web2", "https://git.example.com/shop/web", false],
  ["https://git.example.com.evil.example/shop/web", "https://git.example.com/shop/web", false],
])("%s and %s are one repository: %s", (a, b, same) => {
  expect(isSameRepository(a, b)).toBe(same);
});

test.each([
  ["v*", "v1", true],
  ["v*", "rv1", false],
  ["*", "", true],
  ["a*b*c", "a/x/b/y/c", true],
  ["a*b*c", "abcd", false],
  ["a.c", "abc", false],
  ["main", "main2", false],
])("the pattern %s matches %s: %s", (pattern, text, matches) => {
  expect(matchesPattern(pattern, text)).toBe(matches);
});

test("a pattern of many stars ends soon", () => {
  expect(matchesPattern(`${"a*".repeat(40)}b`, "a".repeat(2000))).toBe(false);
});
