import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EXIT, exitCodeOfOutcomes } from "../../src/cli/exit-codes.ts";
import { GitspanError } from "../../src/model/errors.ts";
import { aDelivery } from "../fakes/examples.ts";
import { BUILD_ID, DELIVERY_ID, TOKENS } from "../http/fake-ports.ts";
import { aReport } from "../http/requests.ts";
import { type CliServer, runCli, startServer } from "./run-cli.ts";

let server: CliServer;
beforeEach(async () => {
  server = await startServer();
});
afterEach(() => server.close());

const WAIT = ["builds", "wait", BUILD_ID, "--timeout", "5s"];

describe("the exit code", () => {
  it("0: every delivery is healthy", async () => {
    server.ports.seed({ phase: "done", outcome: "healthy" });
    expect(await runCli(WAIT, server)).toMatchObject({ code: EXIT.ok, stderr: "" });
  });

  it("0, with a word about it: superseded by a newer build", async () => {
    server.ports.seed({ phase: "done", outcome: "superseded", message: "by build 7" });
    expect(await runCli(WAIT, server)).toMatchObject({
      code: EXIT.ok,
      stderr: "checkout/staging: superseded by build 7\n",
    });
  });

  it.each([
    ["failed", "degraded"],
    ["overridden", "reverted"],
    ["cancelled", "expired"],
  ] as const)("1: %s", async (outcome, reason) => {
    server.ports.seed({ phase: "done", outcome, reason, message: "because" });
    expect(await runCli(WAIT, server)).toMatchObject({
      code: EXIT.failed,
      stderr: `checkout/staging: ${outcome}(${reason}) because\n`,
    });
  });

  it("1: a failure outweighs a refusal", async () => {
    expect(exitCodeOfOutcomes([{ outcome: "rejected" }, { outcome: "failed" }, { outcome: "healthy" }])).toBe(1);
    expect(exitCodeOfOutcomes([{ outcome: "rejected" }, { outcome: "healthy" }, {}])).toBe(4);
    const absent = { outcome: "cancelled", reason: "target-removed" } as const;
    expect(exitCodeOfOutcomes([absent, { outcome: "healthy" }])).toBe(0);
    expect(exitCodeOfOutcomes([absent, absent])).toBe(4);
  });

  it.each([
    ["an unknown command", ["deploy"]],
    ["an unknown option", ["builds", "get", BUILD_ID, "--force"]],
    ["a missing argument", ["builds", "get"]],
    ["no command at all", []],
    ["an address that is none", ["builds", "get", BUILD_ID, "--server", "gitspan"]],
  ])("2: %s", async (_name, args) => {
    expect(await runCli(args, server)).toMatchObject({ code: EXIT.usage, stdout: "" });
  });

  it("2: no token", async () => {
    const result = await runCli(WAIT, { env: { GITSPAN_SERVER: "http://127.0.0.1:1" } });
    expect(result).toMatchObject({ code: EXIT.usage, stderr: expect.stringContaining("GITSPAN_TOKEN") });
  });

  it("3: the configuration cannot be read", async () => {
    const result = await runCli(["validate", "--config", "/nonexistent.yaml"], server);
    expect(result).toMatchObject({ code: EXIT.configuration, stderr: expect.stringContaining("/nonexistent.yaml") });
  });

  it("4: the server's policy refuses the build", async () => {
    server.ports.intake = async () => {
      throw new GitspanError("forbidden", "token:shop-ci may not deliver to checkout/prod", { hint: "Add a rule." });
    };
    const result = await runCli(["send", "-"], { ...server, input: JSON.stringify(aReport()) });
    expect(result).toMatchObject({
      code: EXIT.refused,
      stderr: "gitspan: token:shop-ci may not deliver to checkout/prod\n  hint: Add a rule.\n",
    });
  });

  it("4: the delivery is rejected", async () => {
    server.ports.seed({ phase: "done", outcome: "rejected", reason: "untrusted", message: "no signature" });
    expect((await runCli(WAIT, server)).code).toBe(EXIT.refused);
  });

  it("4: the token is not valid", async () => {
    const env = { ...server.env, GITSPAN_TOKEN: `gsp_${"x".repeat(43)}` };
    expect((await runCli(WAIT, { env })).code).toBe(EXIT.refused);
  });

  it("1: there is no such build", async () => {
    expect(await runCli(WAIT, server)).toMatchObject({
      code: EXIT.failed,
      stderr: "gitspan: there is no such build\n",
    });
  });

  it("5: the time is up, after printing where it stands", async () => {
    server.ports.seed({ phase: "waiting", waitReason: "hold" });
    const result = await runCli(["builds", "wait", BUILD_ID, "--timeout", "50ms"], server);
    expect(result.code).toBe(EXIT.timedOut);
    expect(result.stdout).toContain("waiting(hold)");
    expect(result.stderr).toContain(`build ${BUILD_ID} is not done in time: checkout/staging is waiting(hold)`);
  });

  it("6: nobody listens", async () => {
    const { port } = server;
    await server.close();
    const env = { GITSPAN_SERVER: `http://127.0.0.1:${port}`, GITSPAN_TOKEN: TOKENS.ci };
    const wait = await runCli(["builds", "wait", BUILD_ID, "--timeout", "50ms"], { env });
    expect(wait).toMatchObject({ code: EXIT.unreachable, stderr: expect.stringContaining("ECONNREFUSED") });
    const send = await runCli(["send", "-", "--retry-for", "0s"], { env, input: JSON.stringify(aReport()) });
    expect(send.code).toBe(EXIT.unreachable);
    expect(send.stderr).not.toContain(TOKENS.ci);
  });

  it("6: something else answers", async () => {
    const other = createServer((_request, response) => response.end("<html>hello</html>")).listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const env = { ...server.env, GITSPAN_SERVER: `http://127.0.0.1:${port}` };
    const result = await runCli(["builds", "get", BUILD_ID], { env });
    expect(result).toMatchObject({ code: EXIT.unreachable, stderr: expect.stringContaining("like a gitspan server") });
    other.close();
  });

  it("130: interrupted", async () => {
    server.ports.seed();
    const stop = new AbortController();
    const result = runCli(WAIT, { ...server, signal: stop.signal });
    await once(server.ports.changes, "wait");
    stop.abort(new Error("SIGINT"));
    expect((await result).code).toBe(EXIT.interrupted);
  });
});

describe("gitspan builds wait", () => {
  it("survives a restart of the server", async () => {
    server.ports.seed();
    const { port } = server;
    const result = runCli(["builds", "wait", BUILD_ID, "--timeout", "30s"], server);
    await once(server.ports.changes, "wait");
    server.ports.stopping = true;
    server.ports.change({});
    await server.close();
    server = await startServer(port);
    server.ports.seed({ phase: "done", outcome: "healthy" });
    expect((await result).code).toBe(EXIT.ok);
  });

  it("--for written ends when the commit is there", async () => {
    server.ports.seed({ phase: "following", commit: "a".repeat(40) });
    const result = await runCli([...WAIT, "--for", "written"], server);
    expect(result).toMatchObject({ code: EXIT.ok, stdout: expect.stringContaining("aaaaaaaaaa") });
  });

  it("shows progress and colours to a person only", async () => {
    server.ports.seed({ phase: "done", outcome: "healthy" });
    const person = await runCli(WAIT, { ...server, tty: true });
    expect(person.stderr).toContain("checkout/staging healthy");
    expect(person.stdout).toContain("\u001b[32m");
    const plain = await runCli(WAIT, { ...server, tty: true, env: { ...server.env, NO_COLOR: "1" } });
    expect(plain.stdout).not.toContain("\u001b");
    const script = await runCli(WAIT, server);
    expect(script.stdout + script.stderr).not.toContain("\u001b");
  });
});

describe("gitspan deliveries", () => {
  it("lists as a table, names, JSON and YAML", async () => {
    const [one, two] = [DELIVERY_ID, DELIVERY_ID.replace(/d$/, "e")];
    const buildId = BUILD_ID;
    server.ports.deliveries = [
      aDelivery({
        id: one,
        buildId,
        phase: "done",
        outcome: "failed",
        reason: "crashing",
        commit: "b".repeat(40),
        message: "bad\u001b[2J",
      }),
      aDelivery({ id: two, buildId, phase: "following" }),
    ];
    const list = ["deliveries", "list"];
    expect((await runCli(list, server)).stdout).toBe(
      [
        "DELIVERY                              TARGET            STATE             COMMIT      MESSAGE",
        `${one}  checkout/staging  failed(crashing)  bbbbbbbbbb  bad?[2J`,
        `${two}  checkout/staging  following         -`,
        "",
      ].join("\n"),
    );
    expect((await runCli([...list, "-o", "name"], server)).stdout).toBe(`delivery/${one}\ndelivery/${two}\n`);
    const json = await runCli([...list, "-o", "json", "--outcome", "failed"], server);
    expect(JSON.parse(json.stdout)).toMatchObject({ items: [{ id: one }] });
    const yaml = await runCli([...list, "-o", "yaml", "--limit", "1"], server);
    expect(yaml.stdout).toContain(`items:\n  - id: ${one}\n`);
    expect(yaml.stderr).toBe("there are more: --cursor 1\n");
  });

  it("shows one with its history", async () => {
    server.ports.seed({ phase: "waiting", waitReason: "pin", message: "pinned by ada" });
    const id = server.ports.deliveries[0]?.id ?? "";
    const at = Date.UTC(2026, 0, 2, 3);
    server.ports.history.push({ id: 1, deliveryId: id, at, kind: "received", message: "build arrived" });
    const { stdout, code } = await runCli(["deliveries", "get", id], server);
    expect(code).toBe(0);
    expect(stdout).toContain("State:     waiting(pin)\n");
    expect(stdout).toContain("2026-01-02T03:00:00.000Z  received  build arrived\n");
  });
});
