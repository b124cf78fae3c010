import { expect, test } from "vitest";
import { loadConfiguration } from "../../src/config/load.ts";

const base = `
apiVersion: gitspan.dev/v1alpha1
kind: Bridge
database: {embedded: ./data}
repositories: {gitops: {url: "https://git.example.com/gitops"}}
`;
const load = (oidc: string, rest = "") => loadConfiguration(`${base}oidc: ${oidc}\n${rest}`, "/etc/gitspan/g.yaml");

test("other CIs are resolved, with what is taken where nothing is said", () => {
  const { oidc, hash } = load(`
  github: {issuer: "https://token.actions.githubusercontent.com"}
  lab:
    issuer: https://gitlab.example.com
    audience: https://gitspan.example.com
    algorithms: [RS256, ES256]
    jwksFile: ./keys.json
    maxAge: 10m
    subject: "{project_path}:{ref_path}"
    source: {repository: "https://gitlab.example.com/{project_path}", commit: "{sha}"}`);
  expect([...oidc.values()]).toEqual([
    {
      name: "github",
      issuer: "https://token.actions.githubusercontent.com",
      audience: "gitspan",
      algorithms: ["RS256"],
      jwksUri: undefined,
      jwksFile: undefined,
      caFile: undefined,
      maxAgeMs: 3_600_000,
      subject: "{sub}",
      source: {},
    },
    {
      name: "lab",
      issuer: "https://gitlab.example.com",
      audience: "https://gitspan.example.com",
      algorithms: ["RS256", "ES256"],
      jwksUri: undefined,
      jwksFile: "/etc/gitspan/keys.json",
      caFile: undefined,
      maxAgeMs: 600_000,
      subject: "{project_path}:{ref_path}",
      source: { repository: "https://gitlab.example.com/{project_path}", commit: "{sha}" },
    },
  ]);
  expect(load('{github: {issuer: "https://other.example.com"}}').hash).not.toBe(hash);
});

test.each([
  ['{ci: {issuer: "http://ci.example.com"}}', "must start with https://"],
  ['{ci: {issuer: "https://u:p@ci.example.com"}}', "must not hold a user name"],
  ["{ci: {}}", "oidc.ci.issuer"],
  ['{ci: {issuer: "https://ci", algorithms: [HS256]}}', "oidc.ci.algorithms[0]"],
  ['{ci: {issuer: "https://ci", algorithms: [none]}}', "oidc.ci.algorithms[0]"],
  ['{ci: {issuer: "https://ci", algorithms: []}}', "must name at least one algorithm"],
  ['{ci: {issuer: "https://ci", jwksUri: "http://ci/keys"}}', "must start with https://"],
  ['{ci: {issuer: "https://ci", jwksUri: "https://ci/keys", jwksFile: k}}', "needs only one of jwksUri, jwksFile"],
  ['{ci: {issuer: "https://ci", caFile: c, jwksFile: k}}', "is for keys that are asked for over the network"],
  ['{ci: {issuer: "https://ci", maxAge: 0s}}', "must be longer than 0"],
  ['{ci: {issuer: "https://ci", subject: everybody}}', "must be a text with {claim} in it"],
  ['{ci: {issuer: "https://ci", subject: "{sub}*"}}', "must be a text with {claim} in it"],
  ['{ci: {issuer: "https://ci", audience: "a b"}}', "visible ASCII"],
  ['{a: {issuer: "https://ci"}, b: {issuer: "https://ci"}}', 'is already that of "a"'],
  ['{ci: {issuer: "https://ci", secret: hunter2}}', "oidc.ci.secret"],
])("%s is refused", (oidc, message) => {
  expect(() => load(oidc)).toThrow(expect.objectContaining({ message: expect.stringContaining(message) }));
  expect(() => load(oidc)).not.toThrow(/hunter2/);
});

test("access rules name an issuer that there is", () => {
  const rule = (subject: string) =>
    `access: [{subject: "${subject}", actions: [deliver], apps: ["*"], environments: ["*"]}]`;
  const ci = '{github: {issuer: "https://ci"}}';
  expect(load(ci, rule("oidc:github:repo:shop/*:ref:refs/heads/main")).access).toHaveLength(1);
  expect(() => load(ci, rule("oidc:gihtub:x"))).toThrow(/there is no OIDC issuer "gihtub".*github/s);
  expect(() => load(ci, rule("oidc:github:"))).toThrow(/oidc:NAME:SUBJECT/);
  expect(() => load(ci, rule("oidc:github:a b"))).toThrow(/oidc:NAME:SUBJECT/);
});
