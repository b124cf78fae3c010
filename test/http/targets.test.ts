import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TOKENS } from "./fake-ports.ts";
import { startApp, type TestApp } from "./requests.ts";

interface Page {
  items: { id: string }[];
  next?: string;
}

let test: TestApp;
beforeEach(() => {
  test = startApp();
});
afterEach(() => test.app.close());

const idsOf = (page: Page) => page.items.map(({ id }) => id);
const release = (path: string, token: string) =>
  test.app.inject({
    method: "POST",
    url: `/v1/targets/${path}/release`,
    headers: { authorization: `Bearer ${token}` },
  });

describe("the targets", () => {
  it("are listed as far as the caller may see them", async () => {
    expect(idsOf((await test.get("/v1/targets", TOKENS.platform)).json())).toEqual([
      "checkout/prod",
      "checkout/staging",
    ]);
    expect(idsOf((await test.get("/v1/targets")).json())).toEqual(["checkout/staging"]);
    expect(idsOf((await test.get("/v1/targets?environment=prod", TOKENS.platform)).json())).toEqual(["checkout/prod"]);
    expect(idsOf((await test.get("/v1/targets", TOKENS.stranger)).json())).toEqual([]);
  });

  it("come with the annotated Applications that are none, for those who might see them", async () => {
    const application = { cluster: "main", namespace: "argocd", name: "web" };
    const refused = { application, images: [], message: "it may not", hint: "Ask." };
    test.ports.refusedApplications = [
      { ...refused, app: "checkout", environment: "staging" },
      { ...refused, app: "other", environment: "staging" },
      { ...refused, app: "checkout" },
    ];
    const appsOf = async (path: string, token?: string) =>
      (await test.get(path, token)).json<{ refused?: { app: string }[] }>().refused?.map(({ app }) => app);
    expect(await appsOf("/v1/targets", TOKENS.platform)).toEqual(["checkout", "other", "checkout"]);
    expect(await appsOf("/v1/targets")).toEqual(["checkout"]);
    expect(await appsOf("/v1/targets", TOKENS.stranger)).toBeUndefined();
    expect(await appsOf("/v1/targets?app=other", TOKENS.platform)).toEqual(["other"]);
    expect(await appsOf("/v1/targets?cursor=a", TOKENS.platform)).toBeUndefined();
    const { refused: shown } = (await test.get("/v1/targets")).json<{ refused: unknown }>();
    expect(shown).toEqual([
      { application: "main/argocd/web", app: "checkout", environment: "staging", message: "it may not", hint: "Ask." },
    ]);
  });

  it("are answered 503 while nobody can say whether they are any, to those who may see them", async () => {
    test.ports.undecided.set("other/staging", "Argo CD has not told its Applications yet");
    const known = await test.get("/v1/targets/other/staging", TOKENS.platform);
    expect([known.statusCode, known.json<object>(), known.headers["retry-after"]]).toEqual([
      503,
      expect.objectContaining({ code: "targets-unknown", detail: "Argo CD has not told its Applications yet" }),
      "5",
    ]);
    expect((await test.get("/v1/targets/other/staging")).statusCode).toBe(404);
  });

  it("come in pages", async () => {
    const first = (await test.get("/v1/targets?limit=1", TOKENS.platform)).json<Page>();
    expect([idsOf(first), first.next]).toEqual([["checkout/prod"], "checkout/prod"]);
    const second = (await test.get(`/v1/targets?limit=1&cursor=${first.next}`, TOKENS.platform)).json<Page>();
    expect([idsOf(second), second.next]).toEqual([["checkout/staging"], undefined]);
  });

  it("leave out what is known from before but no longer configured", async () => {
    await test.ports.memory.pin("gone/prod", { by: "ada", why: "freeze" });
    expect(idsOf((await test.get("/v1/targets", TOKENS.platform)).json())).not.toContain("gone/prod");
    expect((await test.get("/v1/targets/gone/prod", TOKENS.platform)).statusCode).toBe(404);
  });
});

describe("one target", () => {
  it("says what is configured, and who pinned it", async () => {
    await test.ports.memory.pin("checkout/staging", { by: "ada", why: "reverted by hand" });
    expect((await test.get("/v1/targets/checkout/staging")).json()).toMatchObject({
      id: "checkout/staging",
      repository: "gitops",
      branch: "main",
      images: [{ name: "checkout", repository: "registry.example.com/shop/checkout" }],
      pin: { by: "ada", why: "reverted by hand" },
      holds: [],
    });
  });

  it("is released by those who may hold it, which is no error when it is not pinned", async () => {
    await test.ports.memory.pin("checkout/staging", { by: "ada", why: "w" });
    expect((await release("checkout/staging", TOKENS.ci)).statusCode).toBe(403);
    const released = (await release("checkout/staging", TOKENS.operator)).json<object>();
    expect(released).toMatchObject({ released: true });
    expect(released).not.toHaveProperty("pin");
    expect((await release("checkout/staging", TOKENS.operator)).json()).toMatchObject({ released: false });
    expect((await release("checkout/prod", TOKENS.operator)).statusCode).toBe(404);
  });
});
