import { posix } from "node:path";
import { parseDocument } from "yaml";

/** Why Argo CD could not load the manifests, in the words it uses. */
export class RenderError extends Error {}

export interface Branch {
  /** The commit that the branch is at. */
  sha: string;
  /** Text of a file at that commit; undefined when there is none. */
  file(path: string): string | undefined | Promise<string | undefined>;
}

/** The images that `kustomize build` would give: only the `images` list of the path's kustomization.yaml counts here. */
export async function renderImages(branch: Branch, path: string): Promise<string[]> {
  const text = await branch.file(posix.join(path, "kustomization.yaml"));
  if (text === undefined) throw failed(path, "unable to find one of 'kustomization.yaml', 'kustomization.yml'");
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem !== undefined) throw failed(path, `invalid Kustomization: yaml: ${problem.message.split("\n")[0]}`);
  const root: unknown = document.toJS();
  if (typeof root !== "object" || root === null) throw failed(path, "invalid Kustomization: not a mapping");
  const { images } = root as { images?: unknown };
  if (!Array.isArray(images)) return [];
  return images.map((image: unknown) => reference((image ?? {}) as Record<string, unknown>)).toSorted();
}

function reference(image: Record<string, unknown>): string {
  const name = scalar(image["newName"]) || scalar(image["name"]);
  const tag = scalar(image["newTag"]);
  const digest = scalar(image["digest"]);
  return `${name}${tag && `:${tag}`}${digest && `@${digest}`}`;
}

function scalar(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function failed(path: string, why: string): RenderError {
  return new RenderError(
    "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = " +
      `\`kustomize build <path to cached source>/${path}\` failed exit status 1: Error: ${why}`,
  );
}
