import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadConfiguration } from "../src/config/load.ts";

const readme = readFileSync("README.md", "utf8");

describe("README", () => {
  it("shows a configuration that loads", () => {
    const [, text = ""] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
    const { targets } = loadConfiguration(text, "README.md");
    expect(targets.map(({ id }) => id)).toEqual(["checkout/staging", "checkout/prod"]);
  });

  it("links only to what exists", () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1] ?? "");
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((link) => !existsSync(link))).toEqual([]);
  });

  it("names only scripts of package.json", () => {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
    const named = [...readme.matchAll(/npm (?:run (?:-s )?)([\w:]+)/g)].map((match) => match[1] ?? "");
    expect([...new Set(named)].filter((name) => scripts[name] === undefined)).toEqual([]);
    expect(readme).toContain("npm ci && npm run demo");
    expect(readme).toContain("npm ci && npm test");
  });
});
