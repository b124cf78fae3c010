import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PreviewRequest } from "../../src/delivery/plan-preview.ts";
import { aTarget } from "../fakes/examples.ts";
import { type BadRequest, expectProblem } from "./expect-problem.ts";
import { TOKENS } from "./fake-ports.ts";
import { aReport, startApp, type TestApp } from "./requests.ts";

let test: TestApp;
let asked: PreviewRequest[];
beforeEach(() => {
  test = startApp();
  asked = [];
  test.ports.preview = (request) => {
    asked.push(request);
    return { targets: [], misses: ["nothing fits"] };
  };
});
afterEach(() => test.app.close());

const request = (payload: object, token = TOKENS.platform) =>
  ({ method: "POST", url: "/v1/plans", payload, headers: { authorization: `Bearer ${token}` } }) as const;

describe("POST /v1/plans", () => {
  it("takes a build report, or only its images, and the targets to look at", async () => {
    const { images } = aReport();
    const response = await test.app.inject(request({ images, targets: ["checkout/staging"] }));
    expect([response.statusCode, response.json()]).toEqual([200, { targets: [], misses: ["nothing fits"] }]);
    expect(asked[0]).toMatchObject({ artifacts: [{ name: "checkout", tag: "1.4.2" }], targets: ["checkout/staging"] });
    expect(asked[0]).not.toHaveProperty("source");
    await test.app.inject(request(aReport()));
    expect(asked[1]).toMatchObject({ source: { commit: "c".repeat(40) }, run: { uid: "run-1" } });
  });

  it("lets a caller see what they may read, and nothing by the right to deliver", async () => {
    const { images } = aReport();
    await test.app.inject(request({ images }));
    await test.app.inject(request({ images }, TOKENS.ci));
    expect(asked.map(({ sees }) => sees(aTarget()))).toEqual([true, false]);
  });
});

const bad: (Omit<BadRequest, "request" | "status" | "code"> & { body: object })[] = [
  { name: "no images", body: {}, detail: "images is required", path: "images" },
  { name: "an image without a version", body: { images: [{ repository: "a/b" }] }, detail: "needs a tag or a digest" },
  { name: "a target of one word", body: { ...aReport(), targets: ["checkout"] }, detail: "app/environment" },
];

it.each(bad)("a plan with $name is refused", async ({ body, ...rest }) => {
  await expectProblem(test, { ...rest, status: 400, code: "bad-request", request: request(body) });
  expect(asked).toEqual([]);
});
