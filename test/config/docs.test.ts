import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { configurationJsonSchema, keyPaths, pathOf, schemaAt } from "../../src/config/json-schema.ts";
import { KEY_DOCS } from "../../src/config/key-docs.ts";
import { loadConfiguration } from "../../src/config/load.ts";
import { CONFIGURATION_PAGE, tablesOf, withTables } from "../tools/configuration-tables.ts";

const page = readFileSync(CONFIGURATION_PAGE, "utf8");
const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map((match) => match[1] ?? "");
const schema = configurationJsonSchema();

describe("docs/configuration.md", () => {
  it.each(examples.map((text, index) => [index + 1, text] as const))("has a valid example %i", (_index, text) => {
    expect(loadConfiguration(text, "gitspan.yaml").file).toBe("gitspan.yaml");
  });

  it("has examples", () => {
    expect(examples.length).toBeGreaterThan(2);
  });

  it("has the tables that `npm run docs` writes, all of them", () => {
    expect(page).toBe(withTables(page));
    expect(tablesOf(page).toSorted()).toEqual(KEY_DOCS.map(({ at }) => at).toSorted());
  });
});

describe("src/config/key-docs.ts", () => {
  const documented = KEY_DOCS.flatMap(({ at, rows }) =>
    rows.flatMap(([keys]) => keys.split(", ").map((key) => pathOf(at, key))),
  );
  const isDocumented = (path: string) => {
    // What people name themselves is named differently in headings.
    const found = documented.map((steps) => steps.join(".").replace("ENVIRONMENT", "NAME"));
    return found.some((known) => known === path || known.startsWith(`${path}.`));
  };

  it("says what every key of the schema means", () => {
    expect(keyPaths(schema).filter((path) => !isDocumented(path))).toEqual([]);
  });

  it("names no key that the schema does not have", () => {
    const gone = documented.filter((path) => schemaAt(schema, path) === undefined);
    expect(gone.map((path) => path.join("."))).toEqual([]);
  });
});

test("the JSON Schema describes its keys and keeps what the checks say of them", () => {
  expect(schema).toMatchObject({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: "https://gitspan.dev/schemas/v1alpha1/bridge.json",
    additionalProperties: false,
    properties: {
      apiVersion: { const: "gitspan.dev/v1alpha1" },
      listen: { description: expect.stringContaining("Default: `127.0.0.1:8484`.") },
      access: { items: { properties: { actions: { items: { enum: ["read", "deliver", "rollback", "hold"] } } } } },
    },
  });
  expect(schema.required).toEqual(["apiVersion", "kind", "database", "repositories"]);
});
