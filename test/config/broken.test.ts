import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { loadConfiguration } from "../../src/config/load.ts";
import { ConfigurationError } from "../../src/config/problems.ts";

function golden(name: string): string {
  return readFileSync(new URL(`../golden/config/${name}`, import.meta.url), "utf8");
}

function errorOf(text: string): ConfigurationError {
  try {
    loadConfiguration(text, "gitspan.yaml");
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

const base = golden("base.yaml");
const cases = parse(golden("broken.yaml")) as { name: string; replace: string; by: string; problems: string[] }[];

test("the file that the cases break is good", () => {
  expect(loadConfiguration(base, "gitspan.yaml").targets).toHaveLength(2);
});

describe("a broken file is refused with the place and the reason:", () => {
  test.each(cases)("$name", ({ replace, by, problems }) => {
    expect(base).toContain(replace);
    expect(errorOf(base.replace(replace, () => by)).message.split("\n")).toEqual(problems);
  });

  test("no message shows a secret that somebody wrote into the file", () => {
    const withSecret = cases.filter((broken) => broken.by.includes("hunter2"));
    expect(withSecret.length).toBeGreaterThan(3);
    for (const { problems } of withSecret) expect(problems.join()).not.toContain("hunter2");
  });
});

test("everything that is wrong is said at once, for people and for programs", () => {
  const text = base
    .replace("listen:", "lisen:")
    .replace("overlays/dev", "../dev")
    .replace("prod: {}", "prod: {soak: 1h}");
  const error = errorOf(text);
  expect(error).toMatchObject({ code: "config-invalid", at: { file: "gitspan.yaml", line: 3, column: 1 } });
  expect(error.problems).toEqual([
    {
      code: "config-unknown-key",
      at: { file: "gitspan.yaml", line: 3, column: 1 },
      message: "lisen: unknown key",
      hint: 'did you mean "listen"?',
    },
    {
      code: "config-not-supported",
      at: { file: "gitspan.yaml", line: 13, column: 10 },
      message: "environments.prod.soak: not supported yet",
      hint: "remove it",
    },
    {
      code: "config-invalid",
      at: { file: "gitspan.yaml", line: 19, column: 24 },
      message: "apps.checkout.targets.dev.kustomize: must be a folder inside the repository, without ..",
      hint: undefined,
    },
  ]);
});

test("a file without content, a list and a text are no configuration", () => {
  expect(errorOf("").message).toBe("gitspan.yaml:1:1: the configuration must be a map, found nothing");
  expect(errorOf("- a\n").message).toBe("gitspan.yaml:1:1: the configuration must be a map, found a list");
  expect(errorOf("# only\nhello\n").message).toBe("gitspan.yaml:2:1: the configuration must be a map, found a string");
});

test("aliases that multiply are refused instead of followed", () => {
  const bomb = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`).join("\n");
  expect(errorOf(`a0: &a0 [x]\n${bomb}\n`).message).toMatch(
    /^gitspan\.yaml:1:1: not valid YAML: Excessive alias count/,
  );
});
