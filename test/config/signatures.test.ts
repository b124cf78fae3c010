import { createHmac } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfiguration } from "../../src/config/load.ts";
import { isRecent, isSignedBy, parseSignature, secretsOfKey, signBody } from "../../src/config/signatures.ts";

const BODY = Buffer.from('{"images": []}');
const NOW = 1_767_322_800_000;
const value = (secret: string, text: string): string => createHmac("sha256", secret).update(text).digest("hex");

describe("a signature", () => {
  it("is of the time, a dot and the raw body, as openssl makes it", () => {
    // printf '1767322800.{"images": []}' | openssl dgst -sha256 -hmac a-secret-of-sixteen
    const byOpenssl = "12d17eb451b38c40c1339aee431a84a65df29b413da5a77d54a0a7360f5825d2";
    expect(signBody("a-secret-of-sixteen", BODY, NOW + 999)).toBe(`t=1767322800,v1=${byOpenssl}`);
  });

  it("fits when one of its values was made with one of the secrets", () => {
    const wrong = "0".repeat(64);
    const right = value("new-secret-of-shop-ci", `1767322800.${BODY.toString()}`);
    const signature = parseSignature(`t=1767322800,v1=${wrong},v1=${right.toUpperCase()}`)!;
    expect(isSignedBy(signature, BODY, ["old-secret-of-shop-ci", "new-secret-of-shop-ci"])).toBe(true);
    expect(isSignedBy(signature, BODY, ["old-secret-of-shop-ci"])).toBe(false);
    expect(isSignedBy(signature, BODY, [])).toBe(false);
    expect(isSignedBy(signature, Buffer.from(`${BODY.toString()} `), ["new-secret-of-shop-ci"])).toBe(false);
    expect(isSignedBy({ ...signature, time: "1767322801" }, BODY, ["new-secret-of-shop-ci"])).toBe(false);
  });

  it("is never made with the placeholder of keys that do not exist", () => {
    const signature = parseSignature(signBody("no secret at all", BODY, NOW))!;
    expect(isSignedBy(signature, BODY, [])).toBe(false);
  });

  it.each([
    ["nothing", ""],
    ["no time", `v1=${"0".repeat(64)}`],
    ["no value", "t=1767322800"],
    ["a short value", `t=1767322800,v1=${"0".repeat(63)}`],
    ["a value that is not hexadecimal", `t=1767322800,v1=${"g".repeat(64)}`],
    ["two times", `t=1,t=2,v1=${"0".repeat(64)}`],
    ["a negative time", `t=-1,v1=${"0".repeat(64)}`],
    ["an endless time", `t=${"9".repeat(13)},v1=${"0".repeat(64)}`],
    ["spaces", `t=1767322800, v1=${"0".repeat(64)}`],
    ["an unknown version", `t=1767322800,v2=${"0".repeat(64)}`],
    ["five values", `t=1767322800${`,v1=${"0".repeat(64)}`.repeat(5)}`],
  ])("is none with %s", (_what, header) => {
    expect(parseSignature(header)).toBeUndefined();
  });

  it("is recent for five minutes, both ways", () => {
    const at = (seconds: number) => ({ time: String(NOW / 1_000 + seconds), values: [] });
    expect([-301, -300, 0, 300, 301].map((seconds) => isRecent(at(seconds), NOW))).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
  });
});

describe("the secrets of a key", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "gitspan-signatures-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const configured = (signatures: string) =>
    loadConfiguration(
      `
apiVersion: gitspan.dev/v1alpha1
kind: Bridge
database: {urlEnv: DATABASE_URL}
repositories: {gitops: {url: https://git.example.com/gitops}}
signatures: ${signatures}
access: [{subject: "signature:shop-ci", actions: [deliver], apps: ["*"], environments: ["*"]}]
`,
      join(folder, "gitspan.yaml"),
    );

  it("are read anew on each call; one that is missing or short does not spoil the other", async () => {
    const configuration = configured("{shop-ci: {secretFiles: [old, new]}}");
    const reported: unknown[] = [];
    const log = { error: (_message: string, fields: Record<string, unknown>) => void reported.push(fields["reason"]) };
    await writeFile(join(folder, "old"), "the-old-secret-of-shop-ci\n");
    expect(await secretsOfKey(configuration, "shop-ci", log)).toEqual(["the-old-secret-of-shop-ci"]);
    await writeFile(join(folder, "new"), "the-new-secret-of-shop-ci\n");
    expect(await secretsOfKey(configuration, "shop-ci", log)).toHaveLength(2);
    await writeFile(join(folder, "old"), "short");
    expect(await secretsOfKey(configuration, "shop-ci", log)).toEqual(["the-new-secret-of-shop-ci"]);
    expect(await secretsOfKey(configuration, "nobody", log)).toEqual([]);
    expect(reported).toEqual([
      `secret: ${join(folder, "new")} cannot be read (ENOENT)`,
      "a signature secret is shorter than 16 bytes",
    ]);
  });

  it.each([
    ["{shop-ci: {}}", "needs exactly one of secretFiles, secretEnvs"],
    ["{shop-ci: {secretFiles: [a], secretEnvs: [B]}}", "needs exactly one of secretFiles, secretEnvs"],
    ["{shop-ci: {secretFiles: []}}", "must name at least one file"],
    ["{shop-ci: {secretFiles: [a, b, c]}}", "two at most"],
    ["{shop-ci: {secret: hunter2}}", "secret"],
    ["{shop: {secretFiles: [a]}}", 'there is no signature "shop-ci"'],
  ])("are configured right, or it is said what is wrong: %s", (signatures, message) => {
    expect(() => configured(signatures)).toThrow(message);
  });
});
