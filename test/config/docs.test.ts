import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadConfiguration } from "../../src/config/load.ts";
import { knownKeys } from "../../src/config/schema.ts";

const page = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map((match) => match[1] ?? "");

test.each(examples.map((text, index) => [index + 1, text] as const))(
  "example %i of the documentation is valid",
  (_index, text) => {
    expect(loadConfiguration(text, "gitspan.yaml").file).toBe("gitspan.yaml");
  },
);

test("the documentation has examples", () => {
  expect(examples.length).toBeGreaterThan(2);
});

const SECTIONS = [
  [],
  ["database"],
  ["repositories", "x"],
  ["repositories", "x", "auth"],
  ["repositories", "x", "author"],
  ["argocd", "x"],
  ["argocd", "x", "kubernetes"],
  ["environments", "x"],
  ["apps", "x"],
  ["apps", "x", "from"],
  ["apps", "x", "targets", "x"],
  ["access", 0],
];

test.each(SECTIONS.map((path) => [path.join(".") || "the top level", path] as const))(
  "every key of %s is documented",
  (_name, path) => {
    const keys = knownKeys(path);
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.filter((key) => !new RegExp(`\`(?:[a-zA-Z]+\\.)?${key}(?:[.\`]|\\b)`).test(page))).toEqual([]);
  },
);
