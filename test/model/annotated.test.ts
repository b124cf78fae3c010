import { describe, expect, test } from "vitest";
import { type Claim, claimOf, groupClaims, isRefused } from "../../src/model/annotated.ts";
import { ANNOTATION_LIMIT } from "../../src/model/application.ts";
import { type ApplicationWords, anApplication, aRule, GITOPS_URL, rulesOf, SHOP } from "../fakes/annotated.ts";
import { aTarget } from "../fakes/examples.ts";

function ask(words: ApplicationWords, rules = rulesOf()): Claim | string {
  const answer = claimOf(rules, anApplication(words));
  return isRefused(answer)
    ? `${answer.message.replace(/^Application \S+ is no target: /, "")} | ${answer.hint}`
    : answer;
}

function claims(words: readonly ApplicationWords[], rules = rulesOf()): Claim[] {
  return words.map((one) => {
    const answer = claimOf(rules, anApplication(one));
    if (isRefused(answer)) throw new Error(answer.message);
    return answer;
  });
}

const source = { repoURL: GITOPS_URL, targetRevision: "main" };

describe("an annotated Application", () => {
  test("is a target of its own name, where one environment is allowed", () => {
    expect(ask({})).toMatchObject({
      id: "web/dev",
      application: { cluster: "main", namespace: "argocd", name: "web" },
      images: [{ name: "web", repository: `${SHOP}/web` }],
      sources: [{ repository: "gitops", branch: "main", path: "apps/web", valueFiles: [] }],
    });
  });

  test("may name its app, its environment and several images", () => {
    const rules = rulesOf({ rules: [aRule({ in: ["dev", "prod"] })] });
    const words = { app: "shop", environment: "prod", images: ` web = ${SHOP}/web ,job=${SHOP}/job` };
    expect(ask(words, rules)).toMatchObject({
      id: "shop/prod",
      images: [
        { name: "web", repository: `${SHOP}/web` },
        { name: "job", repository: `${SHOP}/job` },
      ],
    });
  });

  test.each(["main", "HEAD", "", "refs/heads/main"])("that follows %j may be written", (targetRevision) => {
    expect(ask({ source: { targetRevision } })).toHaveProperty("id", "web/dev");
  });

  test.each(["next", "v1.0", "refs/heads/next", "c".repeat(40)])("that follows %j is refused", (targetRevision) => {
    const answer = ask({ source: { targetRevision } });
    expect(answer).toContain(`it follows ${targetRevision} of gitops, which is written on main`);
  });

  test.each([
    [`${SHOP}/web`, '"" in gitspan.dev/images is no name of an image'],
    [" ", '"" in gitspan.dev/images is no name'],
    [`Web=${SHOP}/web`, '"Web" in gitspan.dev/images is no name'],
    [`web=${SHOP}/web:1.0`, "is no image repository without tag"],
    [`web=${SHOP}/web,`, '"" in gitspan.dev/images is no name'],
    ["web=", '"" in gitspan.dev/images is no image repository'],
    [`a=${SHOP}/a,a=${SHOP}/b`, "has the name a twice"],
    [`a=${SHOP}/a,b=${SHOP}/a`, `has ${SHOP}/a twice`],
    [Array.from({ length: 21 }, (_, at) => `i${at}=r.io/i${at}`).join(), "names more than 20 images"],
    [`web=${SHOP}/${"w".repeat(ANNOTATION_LIMIT)}`, `has more than ${ANNOTATION_LIMIT} characters`],
  ])("with images %j is refused", (images, why) => {
    expect(ask({ images })).toContain(why);
  });

  test("is refused in a project that no entry lists, whatever it says", () => {
    for (const project of ["team-b", "team-ab", "", "xteam-a"]) {
      expect(ask({ project })).toBe(
        `its project ${project || "(none)"} is not listed | List it in \`annotated\` of the configuration, or remove the annotation.`,
      );
    }
    expect(ask({}, rulesOf({ rules: [] }))).toContain("is not listed");
  });

  test("is refused where its app cannot have the name, or the configuration has it", () => {
    expect(ask({ name: "web.v2" })).toContain('"web.v2" cannot be the name of an app');
    expect(ask({ app: "a/b" })).toContain('"a/b" cannot be the name of an app');
    const targets = [aTarget({ id: "web/prod", app: "web", environment: "prod" })];
    expect(ask({}, rulesOf({ targets }))).toContain("the configuration has an app web already");
  });

  test("is refused without an environment that it may be in", () => {
    const rules = rulesOf({ rules: [aRule({ in: ["dev", "staging"] })] });
    expect(ask({}, rules)).toBe(
      "it does not say its environment | Set gitspan.dev/environment to one of dev, staging.",
    );
    expect(ask({ environment: "prod" }, rules)).toContain('it may not be in "prod"');
  });

  test("is refused where its own manifest says which image runs", () => {
    for (const item of [`${SHOP}/web:1.0`, `web=${SHOP}/web:1.0`, `${SHOP}/web=mirror.io/web`]) {
      expect(ask({ source: { kustomize: { images: [item] } } })).toContain("its own kustomize.images say");
    }
    expect(ask({ source: { kustomize: { images: ["other:1.0"] } } })).toHaveProperty("id");
  });

  test("is refused where a target of the configuration delivers the image to it already", () => {
    const ref = { cluster: "main", namespace: "argocd", name: "web" };
    const images = [{ name: "i", repository: `${SHOP}/web` }];
    const exact = aTarget({ id: "x/dev", app: "x", images, applications: [ref] });
    expect(ask({}, rulesOf({ targets: [exact] }))).toContain("x/dev of the configuration delivers to it");
    const other = { ...exact, images: [{ name: "i", repository: `${SHOP}/other` }] };
    expect(ask({}, rulesOf({ targets: [other] }))).toHaveProperty("id");
  });

  test("is refused without a folder in a listed repository", () => {
    const none = "none of its sources is a folder of a listed repository";
    expect(ask({ source: { repoURL: "https://git.example.com/platform/other.git" } })).toContain(none);
    expect(ask({ source: { chart: "web", path: undefined } })).toContain(none);
    expect(ask({}, rulesOf({ rules: [aRule({ repositories: ["other"] })] }))).toContain(none);
  });

  test("has the value files that other sources take from the repository", () => {
    const sources = [
      { repoURL: "https://charts.example.com", chart: "web", helm: { valueFiles: ["$v/a.yaml", "$other/b.yaml"] } },
      { ...source, ref: "v" },
      { ...source, path: "charts/web", helm: { valueFiles: ["values-dev.yaml", "/root.yaml"] } },
    ];
    expect(ask({ sources })).toMatchObject({
      sources: [
        { repository: "gitops", valueFiles: ["/a.yaml"] },
        { path: "charts/web", valueFiles: ["values-dev.yaml", "/root.yaml"] },
      ],
    });
  });
});

describe("Applications of one target", () => {
  test("are one target that all of them run", () => {
    const rules = rulesOf();
    const all = claims(
      [
        { name: "eu", app: "web" },
        { name: "us", app: "web" },
      ],
      rules,
    );
    const { groups, refused } = groupClaims(rules, all);
    expect([groups.map(({ id, claims: { length } }) => [id, length]), refused]).toEqual([[["web/dev", 2]], []]);
  });

  test("must name images alike", () => {
    const rules = rulesOf();
    const other = { name: "us", app: "web", images: `web=${SHOP}/other` };
    const { groups, refused } = groupClaims(rules, claims([{ name: "eu", app: "web" }, other], rules));
    expect([groups, refused.map(({ message }) => message)]).toEqual([
      [],
      [expect.stringContaining("name the image web"), expect.stringContaining("name the image web")],
    ]);
  });

  test("of two entries are those of the first: another team cannot take a target away", () => {
    const rules = rulesOf({ rules: [aRule({ projects: ["team-a"] }), aRule({ projects: ["team-b"] })] });
    const thief = { name: "thief", app: "web", project: "team-b" };
    for (const order of [
      [{}, thief],
      [thief, {}],
    ]) {
      const { groups, refused } = groupClaims(rules, claims(order, rules));
      expect(groups.map((group) => group.claims.map(({ application }) => application.name))).toEqual([["web"]]);
      expect(refused.map(({ application }) => application.name)).toEqual(["thief"]);
    }
  });
});
