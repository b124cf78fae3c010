import { isSeq, type Node } from "yaml";
import { isKustomization } from "./kustomize-entries.ts";
import { textAt, valueAt } from "./place.ts";
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

/** What one file leads to. */
export function leadsFrom(source: Source, tree: Tree): Lead[] {
  return source.documents.flatMap(({ contents }) => {
    if (isKustomization(source.file)) return kustomizationLeads(source.file, contents, tree);
    const kind = textAt(contents, "kind");
    if (kind !== "Application" && kind !== "ApplicationSet") return [];
    const from = `${source.file}#${kind}/${textAt(valueAt(contents, "metadata"), "name") ?? "?"}`;
    const spec = valueAt(contents, "spec");
    if (kind === "Application") return sourceLeads(from, spec, tree);
    const configs = configFiles(spec, tree).map((to) => ({ from, to, as: "values" }) as const);
    return [...sourceLeads(from, valueAt(valueAt(spec, "template"), "spec"), tree), ...configs];
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
    items(valueAt(root, key)).map((item) => textAt(item, "path")),
  );
  const values = items(valueAt(root, "helmCharts")).flatMap((chart) => [
    textAt(chart, "valuesFile"),
    ...items(valueAt(chart, "additionalValuesFiles")).map(scalarText),
  ]);
  return [
    ...LISTS.flatMap(([key, as]) => items(valueAt(root, key)).flatMap((item) => lead(scalarText(item), as))),
    ...named.flatMap((text) => lead(text, "patch")),
    ...values.flatMap((text) => lead(text, "values")),
  ];
}

function sourceLeads(from: string, spec: Node | null, tree: Tree): Lead[] {
  const sources = [valueAt(spec, "source"), ...items(valueAt(spec, "sources"))].filter((one) => one !== null);
  return sources.flatMap((one) => {
    const path = textAt(one, "path");
    const folder = path === undefined ? undefined : joinPath("", path);
    const valueFiles = items(valueAt(valueAt(one, "helm"), "valueFiles")).flatMap((item) => {
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

/** The config files of git generators, also of those in a matrix or a merge: `*` is a name, `**` any path. */
function configFiles(holder: Node | null, tree: Tree): string[] {
  return items(valueAt(holder, "generators")).flatMap((generator) => {
    const globs = items(valueAt(valueAt(generator, "git"), "files")).flatMap((item) => textAt(item, "path") ?? []);
    const inner = ["matrix", "merge"].flatMap((kind) => configFiles(valueAt(generator, kind), tree));
    return [...globs.flatMap((glob) => [...tree.files].filter((file) => globOf(glob).test(file))), ...inner];
  });
}

function globOf(glob: string): RegExp {
  const parts = glob.split(/(\*\*\/?|\*|\?)/).map((part) => {
    if (part.startsWith("**")) return part === "**" ? ".*" : "(?:.*/)?";
    if (part === "*" || part === "?") return part === "*" ? "[^/]*" : "[^/]";
    return escaped(part);
  });
  return new RegExp(`^${parts.join("")}$`);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** What a path of a kustomization or a source stands for: the file, or what of the folder is rendered. */
export function rendered(path: string, tree: Tree): readonly string[] {
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
  const parts = path.split(/(?:\{\{[^{}]*\}\})+/).map(escaped);
  return new RegExp(`^${parts.join(path.startsWith("{{") && parts.length === 2 ? ".+" : "[^/]+")}$`);
}

/** A path from a folder (with a slash at its end, or ""), or from the root; `undefined` for what leads out of the tree. */
export function joinPath(folder: string, text: string): string | undefined {
  const parts: string[] = [];
  for (const part of (text.startsWith("/") ? text : folder + text).split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

function items(node: Node | null): Node[] {
  return isSeq<Node>(node) ? node.items : [];
}
