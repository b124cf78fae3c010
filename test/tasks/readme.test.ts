import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { get, list, nameOf, ofKind, ROOT, shipped, text, type Value } from "./catalog.ts";

const tasks = ofKind("Task").map(({ file, object }) => ({
  file,
  object,
  readme: path.join(path.dirname(file), "README.md"),
}));

function rows(file: string, heading: string): string[] {
  const [, section = ""] = readFileSync(path.join(ROOT, file), "utf8").split(`\n## ${heading}\n`);
  const [body = ""] = section.split("\n## ");
  return body.split("\n").filter((line) => line.startsWith("| `"));
}

function defaultOf(param: Value): string {
  if (!("default" in param)) return "";
  const value = param["default"];
  if (value === "") return "empty";
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

describe("the README of a Task", () => {
  it.each(tasks)("lists the parameters, workspaces and results of $file as they are", ({ object, readme }) => {
    const params = list(get(object, "spec", "params"));
    expect(rows(readme, "Parameters")).toEqual(
      params.map((param) => `| \`${nameOf(param)}\` | ${defaultOf(param)} | ${text(param["description"])} |`),
    );
    const workspaces = list(get(object, "spec", "workspaces"));
    expect(rows(readme, "Workspaces")).toEqual(
      workspaces.map((one) => {
        const traits = [
          ...(one["optional"] === true ? ["optional"] : []),
          ...(one["readOnly"] === true ? ["read only"] : []),
        ];
        return `| \`${nameOf(one)}\` | ${traits.join(", ") || "needed"} | ${text(one["description"])} |`;
      }),
    );
    const results = list(get(object, "spec", "results"));
    expect(rows(readme, "Results")).toEqual(
      results.map((one) => `| \`${nameOf(one)}\` | ${text(one["type"])} | ${text(one["description"])} |`),
    );
  });
});

describe("a page under tasks/", () => {
  const pages = [
    ...tasks.map(({ readme }) => readme),
    "README.md",
    "trigger/README.md",
    "rbac/README.md",
    "pipeline/README.md",
  ];

  it.each([...pages, "chains/README.md", "results/README.md", "pac/README.md"])(
    "%s has no link into nothing",
    (page) => {
      const markdown = readFileSync(path.join(ROOT, page), "utf8");
      const links = [...markdown.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1] ?? "");
      for (const link of links)
        expect(existsSync(path.join(ROOT, path.dirname(page), link)), `${page}: ${link}`).toBe(true);
    },
  );
});

describe("the kustomization", () => {
  it("installs every Task, Pipeline, Trigger and account that is no sample, and nothing that is none", () => {
    const kustomization = shipped().find(({ object }) => object["kind"] === "Kustomization");
    const resources = kustomization?.object["resources"];
    const files = new Set(
      shipped()
        .map(({ file }) => file)
        .filter((file) => /^(?:task\/[^/]+\/[^/]+|pipeline|trigger|rbac)\/[^/]+\.yaml$/.test(file))
        .filter((file) => file !== "rbac/bridge.yaml"),
    );
    expect(new Set(Array.isArray(resources) ? resources : [])).toEqual(files);
  });
});
