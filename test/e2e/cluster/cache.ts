/** Where built components are kept: outside the checkout, one folder per component and content, so that clones share them. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { type Component, component } from "./components.ts";

export function moduleFolder(component: Component): string {
  return path.join(import.meta.dirname, "modules", component.name);
}

/** `GITSPAN_E2E_CACHE`, else a folder in the user's cache folder. */
export function cacheFolder(): string {
  const caches = process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache");
  return process.env.GITSPAN_E2E_CACHE ?? path.join(caches, "gitspan-e2e");
}

/**
 * The key is what was asked for: the module's files, packages and flags. The compiler's version is left out on purpose, as any Go that
 * builds a component will do.
 */
export function componentFolder(component: Component): string {
  const folder = moduleFolder(component);
  const hash = createHash("sha256").update(JSON.stringify(component));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const file of files.map((entry) => path.join(entry.parentPath, entry.name)).toSorted()) {
    hash.update(path.relative(folder, file)).update("\0").update(readFileSync(file));
  }
  return path.join(cacheFolder(), `${component.name}-${hash.digest("hex").slice(0, 12)}`);
}

export function isBuilt(component: Component): boolean {
  return existsSync(path.join(componentFolder(component), "built.json"));
}

/** A program's absolute path. Throws when it has not been built. */
export function program(componentName: string, name: string): string {
  return built(component(componentName), "bin", name);
}

/** An upstream file or folder. Throws when the component has not been built. */
export function asset(componentName: string, name: string): string {
  return built(component(componentName), "assets", name);
}

function built(component: Component, ...parts: string[]): string {
  const file = path.join(componentFolder(component), ...parts);
  if (!existsSync(file))
    throw new Error(`${component.name} has not been built (${file} is missing): run "npm run e2e".`);
  return file;
}
