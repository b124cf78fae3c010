import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";

const STATIC_IMPORT = /^(?:import|export)\s+(?!type\b)(?:[^;"']*?\sfrom\s+)?["']([^"']+)["']/gm;

/** Packages that a module loads with everything it imports statically; `await import()` does not count. */
async function packagesOf(file: URL, seen: Set<string>): Promise<string[]> {
  if (seen.has(file.href)) return [];
  seen.add(file.href);
  const source = await readFile(file, "utf8");
  const found: string[] = [];
  for (const [, specifier = ""] of source.matchAll(STATIC_IMPORT)) {
    if (specifier.startsWith(".")) found.push(...(await packagesOf(new URL(specifier, file), seen)));
    else found.push(specifier);
  }
  return found;
}

it("starts with commander alone: what takes long to load is loaded by the commands that need it", async () => {
  const seen = new Set<string>();
  const packages = await packagesOf(new URL("../../src/main.ts", import.meta.url), seen);
  const heavy = new Set(packages.filter((name) => !name.startsWith("node:")));
  expect([...heavy]).toEqual(["commander"]);
  expect(seen.size).toBeGreaterThan(20);
});

it("edits files with commander and the YAML parser alone: no server, no database, no Kubernetes", async () => {
  const seen = new Set<string>();
  const packages = await packagesOf(new URL("../../src/cli/edit-run.ts", import.meta.url), seen);
  expect([...new Set(packages.filter((name) => !name.startsWith("node:")))]).toEqual(["yaml"]);
  const folders = new Set([...seen].map((file) => /\/src\/(.*)\/[^/]+$/.exec(file)?.[1]));
  expect(folders).toEqual(new Set(["cli", "model", "overlays"]));
});
