import { describe, expect, it } from "vitest";
import type { BridgeModule } from "../../src/cli/bridge-module.ts";
import type { Preview, PreviewRequest } from "../../src/delivery/plan-preview.ts";
import { runCli } from "./run-cli.ts";

const target = {
  target: "checkout/prod",
  repository: "gitops",
  branch: "main",
  base: "b".repeat(40),
  diff: "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\n",
  message: "deploy(checkout): prod 2\n\nGitspan-Target: checkout/prod",
  warnings: ["the tag moved"],
  applications: ["main/argocd/checkout-prod"],
};

function bridgeWith(preview: Preview) {
  const asked: Omit<PreviewRequest, "sees">[] = [];
  const nothing = async (): Promise<never> => Promise.reject(new Error("a plan has no business with this"));
  const bridge: BridgeModule = {
    startBridge: nothing,
    withStore: nothing,
    previewBuild: async (_configFile, request) => {
      asked.push(request);
      return preview;
    },
  };
  return { bridge, asked };
}

const plan = (bridge: BridgeModule, ...args: string[]) => runCli(["plan", "--config", "g.yaml", ...args], { bridge });
const IMAGE = ["--image", "registry.example.com/checkout:2"];

describe("gitspan plan", () => {
  it("prints a diff that git applies, with what else would be in the commit as comments", async () => {
    const { bridge, asked } = bridgeWith({ targets: [target], misses: [] });
    const result = await plan(bridge, ...IMAGE, "--target", "checkout/prod");
    expect(result).toEqual({
      code: 0,
      stdout: [
        "# checkout/prod in gitops@main (bbbbbbbbbbbb)",
        "# Applications: main/argocd/checkout-prod",
        "#",
        "# deploy(checkout): prod 2",
        "#",
        "# Gitspan-Target: checkout/prod",
        target.diff,
      ].join("\n"),
      stderr: "checkout/prod: the tag moved\n",
    });
    expect(asked).toEqual([
      {
        artifacts: [{ name: "checkout", repository: "registry.example.com/checkout", tag: "2" }],
        targets: ["checkout/prod"],
      },
    ]);
  });

  it("ends with 1 when asked to check and something would change", async () => {
    const changing = bridgeWith({ targets: [target], misses: [] });
    expect((await plan(changing.bridge, ...IMAGE, "--check", "-o", "json")).code).toBe(1);
    const standing = bridgeWith({ targets: [{ ...target, diff: "" }], misses: [] });
    expect(await plan(standing.bridge, ...IMAGE, "--check")).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("checkout/prod: everything stands already"),
    });
  });

  it("ends with 1 when a file would be refused, with 4 when nothing takes the image", async () => {
    const refusal = { code: "edit-parse" as const, message: "x is not YAML", hint: "Repair it." };
    const refused = await plan(
      bridgeWith({ targets: [{ ...target, diff: "", refusal }], misses: [] }).bridge,
      ...IMAGE,
    );
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("checkout/prod: would be refused: x is not YAML. Repair it.\n");
    const nothing = await plan(bridgeWith({ targets: [], misses: ["app x wants main"] }).bridge, ...IMAGE);
    expect(nothing).toMatchObject({ code: 4, stdout: "", stderr: "app x wants main\nno target takes these images\n" });
  });

  it("takes a build from standard input", async () => {
    const { bridge, asked } = bridgeWith({ targets: [target], misses: [] });
    const images = [{ name: "web", repository: "r.example.com/web", digest: `sha256:${"a".repeat(64)}` }];
    const source = { repository: "https://git.example.com/web", commit: "c".repeat(40), time: "2026-01-02T03:04:05Z" };
    const run = { kind: "PipelineRun", name: "web-1", uid: "u" };
    const input = JSON.stringify({ images, source, run });
    expect((await runCli(["plan", "--config", "g.yaml", "-"], { bridge, input })).code).toBe(0);
    expect(asked).toEqual([{ artifacts: images, source: { ...source, time: Date.UTC(2026, 0, 2, 3, 4, 5) }, run }]);
  });

  it.each([
    ["nothing to plan", []],
    ["images and a file", [...IMAGE, "build.json"]],
    ["an image without a version", ["--image", "registry.example.com/checkout"]],
    ["an image that is none", ["--image", "UPPER:1"]],
    ["a target of one word", [...IMAGE, "--target", "checkout"]],
  ])("ends with 2 for %s", async (_name, args) => {
    const { bridge, asked } = bridgeWith({ targets: [], misses: [] });
    expect((await plan(bridge, ...args)).code).toBe(2);
    expect(asked).toEqual([]);
  });
});

describe("gitspan schema", () => {
  it("prints a JSON Schema", async () => {
    const { code, stdout } = await runCli(["schema"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ title: "gitspan configuration", type: "object" });
  });
});
