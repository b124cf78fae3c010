import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUILD_ID, TOKENS } from "./fake-ports.ts";
import { startApp, type TestApp } from "./requests.ts";

let test: TestApp;
let port: number;

beforeAll(async () => {
  test = startApp();
  await test.app.listen({ host: "127.0.0.1", port: 0 });
  port = (test.app.server.address() as AddressInfo).port;
});
afterAll(() => test.app.close());

/** Sends bytes as they are and reads until the server closes. */
async function raw(bytes: string): Promise<{ status: number; head: string; problem: Record<string, unknown> }> {
  const socket = connect(port, "127.0.0.1");
  socket.write(bytes);
  const answer = await text(socket);
  const [head = "", body = ""] = answer.split("\r\n\r\n", 2);
  return { status: Number(head.split(" ")[1]), head, problem: JSON.parse(body) as Record<string, unknown> };
}

const AUTH = `Authorization: Bearer ${TOKENS.ci}\r\n`;
const POST = `POST /v1/builds HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${AUTH}Content-Type: application/json\r\n`;

describe("bytes that are no proper request", () => {
  it.each([
    ["a line that is not HTTP", "HELLO\r\n\r\n", 400, "bad-request", "not valid HTTP"],
    [
      "a Content-Length that is no number",
      `${POST}Content-Length: many\r\n\r\n{}`,
      400,
      "bad-request",
      "not valid HTTP",
    ],
    [
      "two Content-Lengths",
      `${POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
      400,
      "bad-request",
      "not valid HTTP",
    ],
    [
      "length and chunks at once",
      `${POST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
      "bad-request",
      "not valid HTTP",
    ],
    ["a broken chunk", `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400, "bad-request", ""],
    [
      "a header name with a space",
      "GET /livez HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n",
      400,
      "bad-request",
      "not valid HTTP",
    ],
    [
      "headers that are too large",
      `GET /livez HTTP/1.1\r\nHost: x\r\nX-Big: ${"a".repeat(20_000)}\r\n\r\n`,
      431,
      "payload-too-large",
      "16 KiB",
    ],
    ["no Host", "GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "bad-request", "no Host"],
    ["a body announced too large", `${POST}Content-Length: 999999999\r\n\r\n`, 413, "payload-too-large", "too large"],
    [
      "a path that is a whole URL of another host",
      `GET http://evil.example/v1/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      404,
      "not-found",
      "nothing",
    ],
  ])("%s is answered with a problem", async (_name, bytes, status, code, detail) => {
    const answer = await raw(bytes);
    expect(answer).toMatchObject({ status, problem: { status, code } });
    expect(answer.head.toLowerCase()).toContain("content-type: application/problem+json");
    expect(String(answer.problem["detail"])).toContain(detail);
  });
});

describe("a client that goes away", () => {
  it("ends the wait that it asked for", async () => {
    test.ports.seed();
    const socket = connect(port, "127.0.0.1");
    socket.write(`GET /v1/builds/${BUILD_ID}?wait=60s HTTP/1.1\r\nHost: x\r\n${AUTH}\r\n`);
    await once(test.ports.changes, "wait");
    expect(test.ports.waiting).toBe(1);
    socket.destroy();
    await expect.poll(() => test.ports.waiting).toBe(0);
  });
});
