import { isRecord, list, optionalText, record, text, texts, type Untrusted } from "../kubernetes/untrusted.ts";

/** More than an Application's spec names in practice, and little enough to keep for thousands of them. */
const VALUE_LIMIT = 50;
const VALUE_LENGTH = 300;
/** Lines of inline Helm values that say which image runs. */
const IMAGE_LINE =
  /^\s*(?:-\s+)?["']?\w*(?:image|tag|digest|repository|version)\w*["']?[ \t]*:[ \t]*["']?([^"'#\s]+)/gim;

/** The Application that deploys this one: Argo CD marks what it tracks by annotation, until 2.x by label. */
export function parentOf(metadata: Untrusted): string | undefined {
  const tracking = optionalText(record(metadata["annotations"])["argocd.argoproj.io/tracking-id"]);
  // `parent:argoproj.io/Application:argocd/child`; a parent outside Argo CD's namespace is `namespace_name`.
  const [parent, kind] = tracking?.split(":") ?? [];
  if (kind === "argoproj.io/Application") return parent?.slice(parent.indexOf("_") + 1);
  const labels = record(metadata["labels"]);
  return optionalText(labels["argocd.argoproj.io/instance"]) ?? optionalText(labels["app.kubernetes.io/instance"]);
}

/** Strings of the sources that may name an image, a tag or a digest. */
export function specValuesOf(spec: Untrusted): string[] {
  const found = sourcesOf(spec).flatMap((source) => {
    const helm = record(source["helm"]);
    return [
      ...texts(record(source["kustomize"])["images"]),
      ...list(helm["parameters"]).map((parameter) => text(record(parameter)["value"])),
      ...leaves(helm["valuesObject"]),
      ...[...text(helm["values"], 100_000).matchAll(IMAGE_LINE)].map(([, value]) => value ?? ""),
      ...given(source["targetRevision"]),
    ];
  });
  return [...new Set(found.filter((value) => value !== "" && value.length <= VALUE_LENGTH))].slice(0, VALUE_LIMIT);
}

/** Whether two objects with `source` or `sources` render the same; undefined when the second names none. */
export function sameSources(spec: Untrusted, other: Untrusted): boolean | undefined {
  const those = sourcesOf(other);
  if (those.length === 0) return undefined;
  return canonical(sourcesOf(spec)) === canonical(those);
}

/** `spec.sources`, or the one of `spec.source`. */
export function sourcesOf(from: Untrusted): Untrusted[] {
  const several = list(from["sources"]).map((source) => record(source));
  return several.length > 0 ? several : isRecord(from["source"]) ? [from["source"]] : [];
}

function leaves(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap((item) => leaves(item));
  return isRecord(value) ? Object.values(value).flatMap((item) => leaves(item)) : [];
}

function given(value: unknown): string[] {
  return typeof value === "string" ? [value] : [];
}

/** Keys in order, empty parts left out: Argo CD drops those when it copies a source. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item)).join()}]`;
  if (!isRecord(value)) return JSON.stringify(value) ?? "";
  const parts = Object.keys(value)
    .toSorted()
    .map((key) => [key, canonical(value[key])] as const)
    .filter(([, part]) => !["", '""', "[]", "{}", "null", "false"].includes(part));
  return `{${parts.map(([key, part]) => `${JSON.stringify(key)}:${part}`).join()}}`;
}
