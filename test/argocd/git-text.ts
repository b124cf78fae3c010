import type { GitRepository } from "../../src/delivery/ports.ts";
import type { Branch } from "../fakes/simulated-argocd/kustomization.ts";

/** A repository of one branch whose commits are whole texts of files: as much of Git as Argo CD reads. */
export class GitText implements Pick<GitRepository, "tip" | "readFiles"> {
  readonly #commits: { sha: string; files: Record<string, string> }[] = [];

  /** Files that are not given stay. Gives the new commit's id. */
  commit(files: Record<string, string>): string {
    const sha = String(this.#commits.length + 1).padStart(40, "0");
    this.#commits.push({ sha, files: { ...this.#commits.at(-1)?.files, ...files } });
    return sha;
  }

  async tip(): Promise<string> {
    const sha = this.#commits.at(-1)?.sha;
    if (sha === undefined) throw new Error("nothing committed yet");
    return sha;
  }

  async readFiles(commit: string, paths: readonly string[]): Promise<Map<string, Uint8Array>> {
    const files = this.#commits.find(({ sha }) => sha === commit)?.files ?? {};
    return new Map(
      paths.flatMap((path) => {
        const text = files[path];
        return text === undefined ? [] : [[path, new TextEncoder().encode(text)] as const];
      }),
    );
  }

  /** As the simulated Argo CD reads it. */
  async read(): Promise<Branch> {
    const last = this.#commits.at(-1);
    if (last === undefined) throw new Error("nothing committed yet");
    return { sha: last.sha, file: (path) => last.files[path] };
  }
}

export function kustomization(tag: string, name = "registry.example.com/shop/checkout"): string {
  return `images:\n  - name: ${name}\n    newTag: ${tag.includes(":") ? tag : `"${tag}"`}\n`;
}
