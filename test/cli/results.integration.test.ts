import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { aDelivery } from "../fakes/examples.ts";
import { BUILD_ID, DELIVERY_ID, TOKENS } from "../http/fake-ports.ts";
import { DIGEST } from "../http/requests.ts";
import { type CliServer, runCli, startServer } from "./run-cli.ts";

let server: CliServer;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gitspan-results-"));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  server = await startServer();
});
afterEach(() => server.close());

const SEND = [
  "send",
  `--image=registry.example.com/shop/checkout:1.4.2@${DIGEST}`,
  `--commit=${"c".repeat(40)}`,
  "--repository=https://git.example.com/shop/checkout.git",
];
const file = (name: string) => join(folder, name);
const read = (name: string) => readFile(file(name), "utf8");

describe("results in files", () => {
  it("have the build and its deliveries, without a line end, also for a repeat", async () => {
    for (const attempt of ["first", "repeat"]) {
      const wanted = [`build=${file(`${attempt}-build`)}`, `deliveries=${file(`${attempt}-deliveries`)}`];
      const result = await runCli([...SEND, ...wanted.flatMap((one) => ["--result", one])], server);
      expect(result.code).toBe(0);
      expect(await read(`${attempt}-build`)).toBe(BUILD_ID);
      expect(JSON.parse(await read(`${attempt}-deliveries`))).toContain(DELIVERY_ID);
    }
  });

  it("have the outcomes, also of a delivery that failed", async () => {
    server.ports.seed({ phase: "done", outcome: "failed", reason: "degraded", message: "a Pod crashes" });
    const wait = ["builds", "wait", BUILD_ID, "--result", `outcomes=${file("outcomes")}`];
    expect((await runCli(wait, server)).code).toBe(1);
    expect(await read("outcomes")).toBe('["checkout/staging failed(degraded)"]');
  });

  it("leave out of a list what a Task has no room for", async () => {
    server.ports.seed();
    const ids = Array.from({ length: 200 }, (_, index) => `0197a000-0000-7000-8000-${String(index).padStart(12, "0")}`);
    server.ports.deliveries = ids.map((id) => aDelivery({ id, buildId: BUILD_ID, phase: "done", outcome: "healthy" }));
    const wait = ["builds", "wait", BUILD_ID, "--result", `outcomes=${file("many")}`];
    expect((await runCli(wait, server)).code).toBe(0);
    const text = await read("many");
    expect(text.length).toBeLessThanOrEqual(2_048);
    expect(JSON.parse(text).length).toBeGreaterThan(50);
  });

  it.each(["outcomes", "=x", "other=x", "outcomes="])("are refused when %s is not a name and a file", async (text) => {
    const result = await runCli(["builds", "wait", BUILD_ID, "--result", text], server);
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining("outcomes=FILE") });
  });

  it("say which file cannot be written", async () => {
    server.ports.seed({ phase: "done", outcome: "healthy" });
    const wait = ["builds", "wait", BUILD_ID, "--result", `outcomes=${file("missing/folder")}`];
    const result = await runCli(wait, server);
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining("the result outcomes cannot be written") });
  });
});

describe("a wait whose output goes to a log", () => {
  const LINES = ["builds", "wait", BUILD_ID, "--timeout", "30s", "--progress", "lines"];

  it("says each change in one line as it comes, and each only once", async () => {
    server.ports.seed({ phase: "following" });
    const result = runCli(LINES, server);
    // The first answer comes when the server has held the request back for as long as it was asked to.
    await vi.waitFor(() => expect(server.ports.requests).not.toEqual([]), { timeout: 10_000 });
    server.ports.change({ phase: "done", outcome: "healthy", message: "it runs" });
    const { code, stderr } = await result;
    expect(code).toBe(0);
    const lines = stderr.trimEnd().split("\n");
    expect(lines.map((line) => line.replace(/^\S+Z /, ""))).toEqual([
      "checkout/staging: following",
      "checkout/staging: healthy: it runs",
    ]);
    expect(stderr).not.toContain("\u001b");
  });

  it("says that the server is away and goes on when it is back, with the token that the file has then", async () => {
    const tokenFile = file("token");
    await writeFile(tokenFile, TOKENS.ci);
    server.ports.seed({ phase: "following" });
    const { port } = server;
    const env = { GITSPAN_SERVER: `http://127.0.0.1:${port}`, GITSPAN_TOKEN_FILE: tokenFile };
    const result = runCli(LINES, { env });
    await once(server.ports.changes, "wait");
    await writeFile(tokenFile, TOKENS.platform);
    server.ports.stopping = true;
    server.ports.change({});
    server.disconnect();
    await server.close();
    server = await startServer(port);
    server.ports.tokens.clear();
    const { hashToken } = await import("../../src/config/tokens.ts");
    server.ports.tokens.set(hashToken(TOKENS.platform), { name: "ada", groups: ["platform"] });
    server.ports.seed({ phase: "done", outcome: "healthy" });
    const { code, stderr } = await result;
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("asking again") });
  });
});
