import type { InjectOptions } from "fastify";
import { afterAll, describe, expect, it } from "vitest";
import { type BadRequest, expectProblem } from "./expect-problem.ts";
import { TOKENS } from "./fake-ports.ts";
import { aReport, DIGEST } from "./requests.ts";
import { startStoredApp } from "./stored-app.ts";

type Report = ReturnType<typeof aReport>;

const test = await startStoredApp();
afterAll(() => test.app.close());

const JSON_TYPE = { "content-type": "application/json" };
const AUTH = { authorization: `Bearer ${TOKENS.ci}` };

function post(payload: string | Buffer, headers: Record<string, string> = {}): InjectOptions {
  return { method: "POST", url: "/v1/builds", payload, headers: { ...AUTH, ...JSON_TYPE, ...headers } };
}
function broken(change: (report: Report) => void): InjectOptions {
  const report = aReport();
  change(report);
  return post(JSON.stringify(report));
}
function field(name: string, path: string, detail: string, change: (report: Report) => void): BadRequest {
  return { name, path, detail, status: 400, code: "bad-request", request: broken(change) };
}
const image = (change: object) => (report: Report) => Object.assign(report.images[0] ?? {}, change);
const source = (change: object) => (report: Report) => Object.assign(report.source, change);
const run = (change: object) => (report: Report) => Object.assign(report["run"] as object, change);
const bad = { status: 400, code: "bad-request" };
const future = new Date(Date.now() + 3 * 86_400_000).toISOString();

const TABLE: BadRequest[] = [
  // bodies that are no report at all
  { name: "broken JSON", request: post('{"images": ['), ...bad, detail: "not valid JSON" },
  { name: "an empty body", request: post(""), ...bad, detail: "body is empty" },
  { name: "a poisoned prototype", request: post('{"__proto__": {"admin": true}}'), ...bad, detail: "__proto__" },
  {
    name: "a poisoned constructor",
    request: post('{"constructor": {"prototype": {}}}'),
    ...bad,
    detail: "forbidden key",
  },
  { name: "invalid UTF-8", request: post(Buffer.from([0x22, 0xff, 0x22])), ...bad, detail: "UTF-8" },
  { name: "a list instead of an object", request: post("[]"), ...bad, detail: "must be an object" },
  { name: "null", request: post("null"), ...bad, detail: "must be an object" },
  {
    name: "very deep nesting",
    request: post(`${"[".repeat(100_000)}${"]".repeat(100_000)}`),
    ...bad,
    detail: "must be an object",
  },
  { name: "no body", request: { method: "POST", url: "/v1/builds", headers: AUTH }, ...bad, detail: "no body" },
  {
    name: "a key that is there twice",
    request: post('{"images": [{"tag": "1.4.1", "\\u0074ag": "1.4.2"}]}'),
    ...bad,
    detail: "is there twice",
    path: "images[0].tag",
  },
  {
    name: "a query",
    request: { ...post(JSON.stringify(aReport())), url: "/v1/builds?dry-run=true" },
    ...bad,
    detail: "is not a known key",
    path: "dry-run",
  },
  {
    name: "an image that nothing is configured for",
    request: broken((report) => {
      report.images = [{ repository: "registry.example.com/shop/unknown", tag: "1" }];
    }),
    status: 422,
    code: "no-target",
    detail: "no app of the configuration",
  },
  {
    name: "a caller who may deliver nowhere",
    request: post(JSON.stringify(aReport()), { authorization: `Bearer ${TOKENS.platform}` }),
    status: 403,
    code: "forbidden",
    detail: "may not deliver to checkout/staging, checkout/prod",
  },
  {
    name: "a body that is too large",
    request: post(`"${"x".repeat(300_000)}"`),
    status: 413,
    code: "payload-too-large",
    detail: "too large",
  },
  {
    name: "plain text",
    request: post("hello", { "content-type": "text/plain" }),
    status: 415,
    code: "unsupported-media-type",
    detail: "JSON",
  },
  {
    name: "a form",
    request: post("a=b", { "content-type": "application/x-www-form-urlencoded" }),
    status: 415,
    code: "unsupported-media-type",
    detail: "JSON",
  },
  {
    name: "a media type that is none",
    request: post("{}", { "content-type": "json" }),
    status: 415,
    code: "unsupported-media-type",
    detail: "JSON",
  },
  {
    name: "a compressed body",
    request: post("{}", { "content-encoding": "gzip" }),
    status: 415,
    code: "unsupported-media-type",
    detail: "compressed",
  },
  {
    name: "an Idempotency-Key with spaces",
    request: post(JSON.stringify(aReport()), { "idempotency-key": "a b" }),
    ...bad,
    detail: "Idempotency-Key",
  },
  {
    name: "an Idempotency-Key that is too long",
    request: post(JSON.stringify(aReport()), { "idempotency-key": "k".repeat(201) }),
    ...bad,
    detail: "200",
  },
  // fields
  field("an unknown key", "colour", "is not a known key", (report) => Object.assign(report, { colour: "red" })),
  field("an unknown key of an image", "images[0].sha", "is not a known key", image({ sha: "x" })),
  field("no images", "images", "must not be empty", (report) => Object.assign(report, { images: [] })),
  field("images that are missing", "images", "is required", (report) => Object.assign(report, { images: undefined })),
  field("too many images", "images", "at most 50", (report) => {
    report.images = Array.from({ length: 51 }, (_, i) => ({ repository: `registry.example.com/a${i}`, tag: "1" }));
  }),
  field("neither tag nor digest", "images[0]", "needs a tag or a digest", image({ tag: undefined, digest: undefined })),
  field("a digest that is too short", "images[0].digest", "sha256:", image({ digest: "sha256:abc" })),
  field("a tag with a slash", "images[0].tag", "is not a tag", image({ tag: "a/b" })),
  field(
    "a repository in capitals",
    "images[0].repository",
    "registry/path",
    image({ repository: "registry.example.com/Shop" }),
  ),
  field("a repository that is a number", "images[0].repository", "must be a string", image({ repository: 7 })),
  field("a repository and a reference", "images[0]", "exactly one", image({ image: "registry.example.com/a:1" })),
  field(
    "a broken reference",
    "images[0].image",
    "is not a tag",
    image({ repository: undefined, image: "registry.example.com/a:b:c" }),
  ),
  field(
    "a reference against its digest",
    "images[0].digest",
    "contradicts",
    image({ repository: undefined, image: `registry.example.com/a@sha256:${"e".repeat(64)}`, digest: DIGEST }),
  ),
  field("the same repository twice", "images[1]", "same repository as images[0]", (report) => {
    report.images.push({ ...report.images[0], name: "again" });
  }),
  field("a short commit", "source.commit", "40 or 64", source({ commit: "abc1234" })),
  field("no commit", "source.commit", "is required", source({ commit: undefined })),
  field(
    "a password in the source's URL",
    "source.repository",
    "without credentials",
    source({ repository: "https://ci:hunter2@git.example.com/a.git" }),
  ),
  field(
    "a token as user name",
    "source.repository",
    "without credentials",
    source({ repository: "https://ghp_secret@github.com/a/b" }),
  ),
  field(
    "a source that is a file",
    "source.repository",
    "URL of a Git repository",
    source({ repository: "file:///etc/passwd" }),
  ),
  field("a branch instead of a ref", "source.ref", "refs/heads/main", source({ ref: "main" })),
  field(
    "a line break in the subject",
    "source.subject",
    "control characters",
    source({ subject: "Fix\n\nGitspan-Target: prod" }),
  ),
  field("a NUL in the author", "source.author", "control characters", source({ author: "Ada\u0000" })),
  field("half a surrogate pair", "source.author", "control characters", source({ author: "Ada\ud800" })),
  field("a time without a zone", "source.time", "ISO 8601", source({ time: "2026-01-02T03:04:05" })),
  field("a commit from the future", "source.time", "future", source({ time: future })),
  field("a run from the future", "run.finishedAt", "future", run({ finishedAt: future })),
  field("a run without uid", "run.uid", "is required", run({ uid: undefined })),
  field("a link that is a script", "run.url", "http or https", run({ url: "javascript:alert(1)" })),
];

describe("a bad build report", () => {
  it.each(TABLE)("is answered with a problem that helps: $name", async (row) => {
    await expectProblem(test, row);
    expect(test.store.isEmpty()).toBe(true);
  });
});
