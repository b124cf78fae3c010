import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DIGEST } from "../http/requests.ts";
import { runCli } from "./run-cli.ts";

const BUILD = "0197a000-0000-7000-8000-00000000000b";
const ANSWER = { id: BUILD, images: [], source: { repository: "r", commit: "c" }, written: true, done: true };
const FAILED = { id: "d", build: BUILD, target: "checkout/dev", phase: "done", outcome: "failed", images: [] };

interface Answer {
  status: number;
  body: object;
}

/** Answers in turn, the last one for ever; what was asked is kept. */
function stub(answers: Answer[]) {
  const asked: { headers: IncomingMessage["headers"]; body: unknown }[] = [];
  const server = createServer((request, response) => void reply(request, response));
  async function reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
    asked.push({ headers: request.headers, body: JSON.parse(await text(request)) });
    const { status, body } = (answers.length > 1 ? answers.shift() : answers[0]) ?? { status: 500, body: {} };
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }
  return { server, asked, answers };
}

let bridge: ReturnType<typeof stub>;
let env: Record<string, string>;
beforeEach(async () => {
  bridge = stub([{ status: 202, body: { ...ANSWER, deliveries: [] } }]);
  bridge.server.listen(0, "127.0.0.1");
  await once(bridge.server, "listening");
  const { port } = bridge.server.address() as AddressInfo;
  env = { GITSPAN_SERVER: `http://127.0.0.1:${port}`, GITSPAN_TOKEN: "a.b.c" };
});
afterEach(() => void bridge.server.close());

describe("gitspan deliver", () => {
  it("says nothing of the run: the token does", async () => {
    expect(await runCli(["deliver"], { env })).toMatchObject({ code: 0, stderr: "" });
    expect(bridge.asked[0]).toMatchObject({ body: {}, headers: { authorization: "Bearer a.b.c" } });
    expect(bridge.asked[0]?.headers).not.toHaveProperty("gitspan-cluster");
  });

  it("names images for comparison, and the cluster where it is given", async () => {
    const image = `registry.example.com:5000/shop/checkout:1.4.2@${DIGEST}`;
    expect((await runCli(["deliver", "--cluster", "ci", "--", image], { env })).code).toBe(0);
    expect(bridge.asked[0]).toMatchObject({
      body: { images: [{ repository: "registry.example.com:5000/shop/checkout", tag: "1.4.2", digest: DIGEST }] },
      headers: { "gitspan-cluster": "ci" },
    });
  });

  it("takes an empty cluster for none, as a parameter that nobody set is", async () => {
    expect((await runCli(["deliver", "--cluster="], { env })).code).toBe(0);
    expect(bridge.asked[0]?.headers).not.toHaveProperty("gitspan-cluster");
  });

  it("tries again while the run or the server is not ready, and says so once", async () => {
    const notReady = { status: 409, body: { code: "run-not-ready", detail: "the Task run-tests has not ended" } };
    bridge.answers.unshift(notReady, notReady, { status: 503, body: {} });
    const { code, stderr } = await runCli(["deliver"], { env });
    expect([code, bridge.asked.length]).toEqual([0, 4]);
    expect(stderr.match(/the Task run-tests has not ended/g)).toHaveLength(1);
  });

  it("gives up after --retry-for", async () => {
    bridge.answers.splice(0, 1, { status: 503, body: { code: "store-unavailable", detail: "down" } });
    expect(await runCli(["deliver", "--retry-for", "0s"], { env })).toMatchObject({ code: 6 });
  });

  it.each([
    [400, "bad-request", 2],
    [401, "unauthenticated", 4],
    [403, "forbidden", 4],
    [422, "no-target", 4],
  ])("does not repeat what is final: %i %s", async (status, code, exitCode) => {
    bridge.answers.splice(0, 1, { status, body: { code, detail: "it is so", hint: "do this" } });
    const result = await runCli(["deliver"], { env });
    expect(result).toMatchObject({ code: exitCode, stderr: expect.stringMatching(/it is so\n {2}hint: do this/) });
    expect(bridge.asked).toHaveLength(1);
  });

  it("ends well for a repeat whose deliveries failed meanwhile, and tells of them", async () => {
    bridge.answers.splice(0, 1, { status: 200, body: { ...ANSWER, deliveries: [FAILED] } });
    const result = await runCli(["deliver"], { env });
    expect(result).toMatchObject({ code: 0, stderr: expect.stringContaining("checkout/dev: failed") });
  });

  it("refuses what is no image before it asks", async () => {
    expect((await runCli(["deliver", "UPPER:1"], { env })).code).not.toBe(0);
    expect(bridge.asked).toEqual([]);
  });
});
