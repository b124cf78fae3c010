import { isMap, isScalar, isSeq, type Node } from "yaml";
import { pairsNamed } from "./place.ts";
import { scalarText } from "./scalar.ts";
import type { Source } from "./source.ts";

/** "What stands in `from` makes `to` part of what is deployed." */
export interface Lead {
  /** A file; of an Application, with its kind and name behind `#`. */
  from: string;
  /** A file of the tree, or a URL. */
  to: string;
  as: "resource" | "component" | "patch" | "values" | "source" | "remote";
}

/** The files there are, and those of each folder. */
export interface Tree {
  files: ReadonlySet<string>;
  folders: ReadonlyMap<string, readonly string[]>;
}

export function treeOf(files: readonly string[]): Tree {
  return { files: new Set(files), folders: Map.groupBy(files, folderOf) };
}

/** "" for the root. */
export function folderOf(file: string): string {
  return file.slice(0, Math.max(0, file.lastIndexOf("/")));
}

const KUSTOMIZATION = /(?:^|\/)(?:kustomization\.ya?ml|Kustomization)$/;

/** True for the names that kustomize looks for. */
export function isKustomization(file: string): boolean {
  return KUSTOMIZATION.test(file);
}

/** What one file leads to. */
export function leadsFrom(source: Source, tree: Tree): Lead[] {
  return source.documents.flatMap(({ contents }) => {
    if (isKustomization(source.file)) return kustomizationLeads(source.file, contents, tree);
    const kind = textAt(contents, "kind");
    if (kind !== "Application" && kind !== "ApplicationSet") return [];
    const from = `${source.file}#${kind}/${textAt(at(contents, "metadata"), "name") ?? "?"}`;
    const spec = at(contents, "spec");
    return sourceLeads(from, kind === "Application" ? spec : at(at(spec, "template"), "spec"), tree);
  });
}

const LISTS: readonly (readonly [key: string, as: Lead["as"]])[] = [
  ["resources", "resource"],
  ["bases", "resource"],
  ["components", "component"],
  ["patchesStrategicMerge", "patch"],
];

function kustomizationLeads(file: string, root: Node | null, tree: Tree): Lead[] {
  const folder = file.slice(0, file.lastIndexOf("/") + 1);
  const lead = (text: string | undefined, as: Lead["as"]): Lead[] => {
    if (text === undefined) return [];
    const isRemote = /^(?:[a-z+]+:\/\/|git@|[^/]+\.[^/]+\/.*\?)/i.test(text);
    if (isRemote) return [{ from: file, to: text, as: "remote" }];
    const path = joinPath(folder, text);
    return path === undefined ? [] : rendered(path, tree).map((to) => ({ from: file, to, as }));
  };
  const named = ["patches", "patchesJson6902"].flatMap((key) =>
    items(at(root, key)).map((item) => textAt(item, "path")),
  );
  const values = items(at(root, "helmCharts")).flatMap((chart) => [
    textAt(chart, "valuesFile"),
    ...items(at(chart, "additionalValuesFiles")).map(scalarText),
  ]);
  return [
    ...LISTS.flatMap(([key, as]) => items(at(root, key)).flatMap((item) => lead(scalarText(item), as))),
    ...named.flatMap((text) => lead(text, "patch")),
    ...values.flatMap((text) => lead(text, "values")),
  ];
}

function sourceLeads(from: string, spec: Node | null, tree: Tree): Lead[] {
  const sources = [at(spec, "source"), ...items(at(spec, "sources"))].filter((one) => one !== null);
  return sources.flatMap((one) => {
    const path = textAt(one, "path");
    const folder = path === undefined ? undefined : joinPath("", path);
    const valueFiles = items(at(at(one, "helm"), "valueFiles")).flatMap((item) => {
      const text = scalarText(item) ?? "";
      // https://argo-cd.readthedocs.io/en/stable/user-guide/multiple_sources/#helm-value-files-from-external-git-repository
      const shared = /^\$[\w-]+\/(.+)$/.exec(text)?.[1];
      const file =
        shared === undefined ? joinPath(folder === undefined ? "" : `${folder}/`, text) : joinPath("", shared);
      return file === undefined ? [] : matching(file, tree);
    });
    return [
      ...(folder === undefined ? [] : foldersLike(folder, tree).flatMap((own) => rendered(own, tree))).map(
        (to) => ({ from, to, as: "source" }) as const,
      ),
      ...valueFiles.map((to) => ({ from, to, as: "values" }) as const),
    ];
  });
}

/** What a path of a kustomization or a source stands for: the file, or what of the folder is rendered. */
function rendered(path: string, tree: Tree): readonly string[] {
  if (tree.files.has(path)) return [path];
  const direct = tree.folders.get(path) ?? [];
  const kustomizations = direct.filter(isKustomization);
  if (kustomizations.length > 0) return kustomizations;
  const isChart = direct.some((file) => file.endsWith("Chart.yaml"));
  return isChart ? direct.filter((file) => /(?:^|\/)values\.ya?ml$/.test(file)) : direct;
}

/** Folders that a path of an ApplicationSet may become: `{{...}}` stands for any one name. */
function foldersLike(path: string, tree: Tree): string[] {
  if (!path.includes("{{")) return [path];
  return [...tree.folders.keys()].filter((folder) => patternOf(path).test(folder));
}

function matching(path: string, tree: Tree): string[] {
  return path.includes("{{")
    ? [...tree.files].filter((file) => patternOf(path).test(file))
    : tree.files.has(path)
      ? [path]
      : [];
}

/** A name alone may be a whole path: git generators have `{{path}}`. */
function patternOf(path: string): RegExp {
  const parts = path.split(/\{\{[^{}]*\}\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join(path.startsWith("{{") && parts.length === 2 ? ".+" : "[^/]+")}$`);
}

/** `undefined` for what leads out of the tree. */
function joinPath(folder: string, text: string): string | undefined {
  const parts: string[] = [];
  for (const part of (text.startsWith("/") ? text : folder + text).split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

function at(node: unknown, key: string): Node | null {
  return isMap<Node, Node | null>(node) ? (pairsNamed(node, key)[0]?.value ?? null) : null;
}

function textAt(node: unknown, key: string): string | undefined {
  const value = at(node, key);
  return isScalar(value) ? scalarText(value) : undefined;
}

function items(node: Node | null): Node[] {
  return isSeq<Node>(node) ? node.items : [];
}
