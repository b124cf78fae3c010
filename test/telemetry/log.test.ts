import { describe, expect, it } from "vitest";
import type { Log } from "../../src/delivery/ports.ts";
import { GitspanError } from "../../src/model/errors.ts";
import { createLog, type LogOptions, logLevelOf } from "../../src/telemetry/log.ts";

function capture(options: Partial<LogOptions> = {}): {
  log: Log;
  lines: () => Record<string, unknown>[];
  raw: () => string;
} {
  let written = "";
  const clock = { now: () => Date.UTC(2026, 0, 2), sleep: async () => undefined };
  const output = { write: (line: string) => void (written += line) };
  const log: Log = createLog({ clock, output, ...options });
  const lines = (): Record<string, unknown>[] =>
    written
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, lines, raw: () => written };
}

describe("the log's level", () => {
  it("is info, or what the environment says; anything else is an error", () => {
    expect([undefined, "DEBUG", "silent"].map(logLevelOf)).toEqual(["info", "debug", "silent"]);
    expect(() => logLevelOf("loud")).toThrow('GITSPAN_LOG_LEVEL is "loud"');
  });
});

describe("the log", () => {
  it("writes one JSON object per line", () => {
    const { log, lines } = capture({ fields: { replica: "a" } });
    log.info("pushed", { lane: "gitops@main", commits: 2 });
    log.debug("not shown");
    expect(lines()).toEqual([
      { level: "info", time: "2026-01-02T00:00:00.000Z", replica: "a", lane: "gitops@main", commits: 2, msg: "pushed" },
    ]);
  });

  it("censors secrets by name at every depth, however the name is written", () => {
    const { log, raw } = capture();
    const secret = "hunter2";
    log.info("x", {
      password: secret,
      token: secret,
      "Set-Cookie": secret,
      a: { Authorization: secret, b: [{ c: { d: { clientSecret: secret, "x-api-key": secret } } }] },
      headers: new Map([["cookie", secret]]),
      tokens: [secret],
      tokenFile: "/run/secrets/gitops",
    });
    expect(raw()).not.toContain(secret);
    expect(raw()).toContain("/run/secrets/gitops");
  });

  it.each([
    ["https://user:hunter2@git.example.com/a.git", "https://git.example.com/a.git"],
    ["clone of https://ghp_hunter2@github.com/a failed", "clone of https://github.com/a failed"],
    ["https://user:hun@ter2hunter2@host/a", "https://host/a"],
    ["postgres://u:hunter2@db/x and https://v:hunter2@h/", "postgres://db/x and https://h/"],
    ["sent Authorization: Bearer hunter2hunter2", "sent Authorization: Bearer [redacted]"],
    [`token gsp_hunter2${"x".repeat(36)}`, "token gsp_[redacted]"],
    ["mail ada@example.com, see https://example.com/@ada", "mail ada@example.com, see https://example.com/@ada"],
  ])("takes credentials out of texts: %s", (text, clean) => {
    const { log, lines, raw } = capture();
    log.warn("x", { text, nested: [text] });
    expect(raw()).not.toContain("hunter2");
    expect(lines()[0]).toMatchObject({ text: clean, nested: [clean] });
  });

  it("shows an error with its code and its causes, and nothing else that hangs on it", () => {
    const { log, lines, raw } = capture();
    const cause = Object.assign(new Error("connect to https://u:hunter2@host failed"), {
      code: "ECONNREFUSED",
      config: { headers: { Authorization: "Bearer hunter2hunter2" } },
    });
    log.error("failed", { error: new GitspanError("git-unreachable", "no answer", { cause, hint: "wait" }) });
    expect(lines()[0]?.["error"]).toMatchObject({
      type: "GitspanError",
      code: "git-unreachable",
      message: "no answer",
      hint: "wait",
      cause: { code: "ECONNREFUSED", message: "connect to https://host failed" },
    });
    expect(raw()).not.toContain("hunter2");
  });

  it("writes cycles, big lists, bytes and odd values", () => {
    const { log, lines } = capture();
    const circle: Record<string, unknown> = { n: 1n, bytes: new Uint8Array(3), at: new Date(Number.NaN) };
    circle["self"] = circle;
    log.info("x", { circle, list: Array.from({ length: 150 }, (_, i) => i), long: "a".repeat(10_000) });
    const [line] = lines();
    expect(line?.["circle"]).toEqual({ n: "1", bytes: "[3 bytes]", at: "invalid date", self: "[circular]" });
    expect(line?.["list"]).toHaveLength(101);
    expect(String(line?.["long"])).toHaveLength(4_000 + "... (10000 characters)".length);
  });
});
