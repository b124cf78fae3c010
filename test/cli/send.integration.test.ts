import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { GitspanError } from "../../src/model/errors.ts";
import { BUILD_ID, DELIVERY_ID } from "../http/fake-ports.ts";
import { aReport, DIGEST } from "../http/requests.ts";
import { type CliServer, runCli, startServer } from "./run-cli.ts";

let server: CliServer;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gitspan-cli-"));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  server = await startServer();
});
afterEach(() => server.close());

const FLAGS = [
  `--image=worker=registry.example.com/shop/worker:1.4.2@${DIGEST}`,
  "--image=registry.example.com/shop/checkout:1.4.2",
  `--commit=${"c".repeat(40)}`,
  "--repository=https://git.example.com/shop/checkout.git",
];

describe("gitspan send", () => {
  it("reports a build from flags and prints it", async () => {
    const run = ["--run-kind", "PipelineRun", "--run-name", "checkout-7", "--run-uid", "u-7"];
    const result = await runCli(["send", ...FLAGS, "--ref", "refs/heads/main", ...run], server);
    expect(result.stderr).toBe("");
    expect(result.code).toBe(0);
    expect(result.stdout).toBe(
      [
        `Build:   ${BUILD_ID}`,
        `Source:  https://git.example.com/shop/checkout.git @ ${"c".repeat(40)} (refs/heads/main)`,
        "Image:   registry.example.com/shop/checkout:1.4.2",
        "DELIVERY                              TARGET            STATE     COMMIT  MESSAGE",
        `${DELIVERY_ID}  checkout/staging  received  -`,
        "",
      ].join("\n"),
    );
    const [request] = server.ports.accepted;
    expect(request?.report.artifacts).toEqual([
      { name: "worker", repository: "registry.example.com/shop/worker", tag: "1.4.2", digest: DIGEST },
      { name: "checkout", repository: "registry.example.com/shop/checkout", tag: "1.4.2" },
    ]);
    expect(request?.report.run).toEqual({ kind: "PipelineRun", name: "checkout-7", uid: "u-7" });
  });

  it("takes the build from a file or from standard input, with an Idempotency-Key", async () => {
    const file = join(folder, "build.json");
    await writeFile(file, JSON.stringify(aReport()));
    const first = await runCli(["send", file, "--idempotency-key", "k1", "-o", "name"], server);
    const second = await runCli(["send", "-", "-o", "name"], { ...server, input: JSON.stringify(aReport()) });
    expect([first.stdout, second.stdout]).toEqual([`build/${BUILD_ID}\n`, `build/${BUILD_ID}\n`]);
    expect(server.ports.accepted.map((request) => request.idempotency?.key)).toEqual(["k1", undefined]);
    expect(server.ports.accepted[0]?.report).toEqual(server.ports.accepted[1]?.report);
  });

  it("tries again while the server cannot store it", async () => {
    let attempts = 0;
    server.ports.intake = async () => {
      attempts++;
      server.ports.intake = undefined;
      throw new GitspanError("store-unavailable", "down", { retryAfterMs: 1 });
    };
    const result = await runCli(["send", ...FLAGS], server);
    expect([result.code, attempts, server.ports.accepted.length]).toEqual([0, 1, 2]);
  });

  it("waits with --wait and tells the outcome", async () => {
    server.ports.seed({ phase: "done", outcome: "healthy", commit: "a".repeat(40), message: "it runs" });
    const result = await runCli(["send", ...FLAGS, "--wait", "-o", "json"], server);
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({ id: BUILD_ID, done: true });
    expect(result.stderr).toBe(`build ${BUILD_ID} is accepted, waiting until it is done\n`);
  });

  it.each([
    ["neither a file nor flags", ["send"], "at least --image"],
    ["a file and flags", ["send", "build.json", ...FLAGS], "not both"],
    ["a file that is not there", ["send", "/nonexistent/build.json"], "cannot be read"],
    [
      "a broken image",
      ["send", "--image", "UPPER:1", "--commit", "c", "--repository", "r"],
      "is not an image repository",
    ],
    ["a run without uid", ["send", ...FLAGS, "--run-name", "x"], "--run-uid"],
    ["a strange thing to wait for", ["send", ...FLAGS, "--wait", "forever"], "Allowed choices are written, done"],
    ["a duration without a unit", ["send", ...FLAGS, "--timeout", "10"], "a number and a unit"],
  ])("refuses %s as usage (2)", async (_name, args, words) => {
    const result = await runCli(args, server);
    expect(result).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(words) });
    expect(server.ports.accepted).toEqual([]);
  });

  it("shows every field that the server found wrong, and ends with 2", async () => {
    const report = { ...aReport(), colour: "red", run: { kind: "x" } };
    const result = await runCli(["send", "-"], { ...server, input: JSON.stringify(report) });
    expect(result.code).toBe(2);
    expect(result.stderr).toContain("run.name: is required");
    expect(result.stderr).toContain("colour: is not a known key");
  });
});
