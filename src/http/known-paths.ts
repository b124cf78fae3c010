import { GitspanError } from "../model/errors.ts";

/** Collects what the application answers to, so that a wrong method is told from a wrong path. */
export class KnownPaths {
  readonly #methods = new Map<string, Set<string>>();

  add(url: string, methods: string | readonly string[]): void {
    const known = this.#methods.get(url) ?? new Set();
    for (const method of [methods].flat()) known.add(method);
    this.#methods.set(url, known);
  }

  /** Methods of the route that has this path; undefined when there is none. */
  methodsOf(path: string): string[] | undefined {
    const parts = path.split("/");
    for (const [url, methods] of this.#methods) {
      const pattern = url.split("/");
      const same = pattern.length === parts.length && pattern.every((part, i) => fits(part, parts[i] ?? ""));
      if (same) return [...methods].sort();
    }
    return undefined;
  }
}

function fits(pattern: string, part: string): boolean {
  return pattern.startsWith(":") ? part !== "" : pattern === part;
}

export function notFound(): GitspanError {
  return new GitspanError("not-found", "there is nothing at this path", { hint: "The API's paths begin with /v1/." });
}

export function methodNotAllowed(method: string, allowed: readonly string[]): GitspanError {
  return new GitspanError("method-not-allowed", `${method} is not possible here, only ${allowed.join(", ")}`);
}
