import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "./run-cli.ts";

const GOOD = `apiVersion: gitspan.dev/v1alpha1
kind: Bridge
listen: 127.0.0.1:8484
database: {embedded: ./data}
repositories:
  gitops: {url: https://gitea.example.com/platform/gitops.git, branch: main}
argocd:
  main: {kubernetes: in-cluster}
environments:
  dev: {}
apps:
  checkout:
    images: {checkout: registry.example.com/shop/checkout}
    targets:
      dev: {kustomize: apps/checkout/overlays/dev}
access:
  - {subject: "token:shop-ci", actions: [deliver], apps: [checkout], environments: [dev]}
`;
let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gitspan-validate-"));
  file = join(folder, "gitspan.yaml");
});
afterAll(() => rm(folder, { recursive: true }));

describe("gitspan validate", () => {
  it("lists the targets of a good configuration", async () => {
    await writeFile(file, GOOD);
    const table = await runCli(["validate", "--config", file]);
    expect(table).toEqual({
      code: 0,
      stderr: "",
      stdout:
        "TARGET        REPOSITORY  BRANCH  IMAGES\n" +
        "checkout/dev  gitops      main    registry.example.com/shop/checkout\n",
    });
    const json = await runCli(["validate", "--config", file, "-o", "json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ valid: true, targets: [{ target: "checkout/dev" }] });
  });

  it("names file, line and column of what is wrong and ends with 3", async () => {
    await writeFile(file, GOOD.replace("kind: Bridge\n", "kind: Bridge\ncolour: red\n"));
    const text = await runCli(["validate", "--config", file]);
    expect(text).toMatchObject({ code: 3, stdout: "" });
    expect(text.stderr).toMatch(/^gitspan: .*gitspan\.yaml:3:1: colour: unknown key .*\n$/);
    const json = await runCli(["validate", "--config", file, "-o", "json"]);
    expect(json.code).toBe(3);
    expect(JSON.parse(json.stdout)).toMatchObject({
      valid: false,
      problems: [{ code: "config-unknown-key", at: { line: 3, column: 1 } }],
    });
  });
});
