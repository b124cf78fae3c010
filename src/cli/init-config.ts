import { Document, isMap, isScalar, visit, YAMLMap } from "yaml";
import { isRepository } from "../model/image.ts";
import type { Place } from "../model/target.ts";
import type { DiscoveredPlace } from "../overlays/discover.ts";

export interface Origin {
  /** The repository's address; absent: not known. */
  url?: string | undefined;
  branch?: string | undefined;
}

const UNKNOWN_URL = "https://git.example.com/change/me.git";
const ANYWHERE = "default";

/** Words by which people name folders and files of environments, whole or between `-`, `_` and `.`. */
const ENVIRONMENT =
  /^(?:dev|development|test|testing|qa|uat|int|integration|stage|staging|preprod|preview|prod|production|live)$/;

/** A first configuration from what a repository writes. It is valid as it is; its comments say what to look at. */
export function initialConfiguration(places: readonly DiscoveredPlace[], origin: Origin): string {
  const apps = appsOf(places.filter(({ image }) => isRepository(image)));
  const environments = [...new Set(Object.values(apps).flatMap(({ targets }) => Object.keys(targets)))].toSorted();
  const document = new Document({
    apiVersion: "gitspan.dev/v1alpha1",
    kind: "Bridge",
    database: { embedded: "./data" },
    repositories: {
      gitops: { url: origin.url ?? UNKNOWN_URL, ...(origin.branch === undefined ? {} : { branch: origin.branch }) },
    },
    environments: Object.fromEntries(environments.map((name) => [name, {}])),
    apps,
    access: [],
  });
  document.commentBefore = HEAD;
  inOneLine(document);
  remark(document, "repositories", origin.url === undefined ? "The address is not known: correct it. " + AUTH : AUTH);
  remark(document, "apps", APPS);
  remark(document, "access", ACCESS);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

const HEAD = ` yaml-language-server: $schema=./gitspan.schema.json
 Written by gitspan init. Make the schema with: gitspan schema > gitspan.schema.json`;
const AUTH = "Add auth: {tokenFile: ...}; Argo CD goes into argocd: (docs/configuration.md).";
const APPS = "Remove what your CI does not build, and say with from: where builds must come from.";
const ACCESS =
  'Nobody may do anything yet: {subject: "token:ci", actions: [deliver], apps: ["*"], environments: ["*"]}';

interface App {
  images: Record<string, string>;
  targets: Record<string, object>;
}

function appsOf(places: readonly DiscoveredPlace[]): Record<string, App> {
  const apps: Record<string, App> = {};
  for (const [image, own] of Map.groupBy(places, (place) => place.image)) {
    const name = freeName(apps, image);
    const byEnvironment = Map.groupBy(own, environmentOf);
    // What a base says counts only where no overlay says it again.
    if (byEnvironment.size > 1) byEnvironment.delete(ANYWHERE);
    const targets = [...byEnvironment].map(([environment, those]) => [environment, targetOf(those)] as const);
    apps[name] = { images: { [name]: image }, targets: Object.fromEntries(targets) };
  }
  return apps;
}

/** The last part of the image's name, with those before it as far as two would be the same. */
function freeName(apps: Record<string, App>, image: string): string {
  const parts = image
    .toLowerCase()
    .split("/")
    .map((part) => part.replaceAll(/[^a-z0-9]+/g, "-"));
  for (let count = 1; count <= parts.length; count++) {
    const name = parts.slice(-count).join("-").slice(-63);
    if (!Object.hasOwn(apps, name)) return name;
  }
  return `app-${Object.keys(apps).length}`;
}

function environmentOf({ file }: DiscoveredPlace): string {
  const words = file.split("/").flatMap((part) => [part, ...part.split(/[-_.]/)]);
  return words.findLast((word) => ENVIRONMENT.test(word)) ?? ANYWHERE;
}

function targetOf(places: readonly DiscoveredPlace[]): object {
  const forms = places.map(({ place }) => formOf(place));
  const [only, second] = forms;
  const isShort =
    second === undefined &&
    only !== undefined &&
    Object.keys(only).every((key) => key === "kustomize" || key === "helm");
  return isShort ? only : { files: forms };
}

function formOf(place: Place): object {
  if (place.format === "kustomize") return { kustomize: place.directory === "" ? "." : place.directory };
  return { [place.format]: place.file, ...(place.at === undefined ? {} : { at: place.at }) };
}

/** Small maps stand on one line, as in the documentation. */
function inOneLine(document: Document): void {
  visit(document, {
    Map: (_, map) => {
      const isLeaf = map.items.every(({ value }) => !isMap(value) || value.flow === true || value.items.length === 0);
      const isSmall = map instanceof YAMLMap && isLeaf && JSON.stringify(map).length < 100;
      if (isSmall) map.flow = true;
    },
  });
}

function remark(document: Document, name: string, text: string): void {
  const pairs = isMap(document.contents) ? document.contents.items : [];
  for (const { key } of pairs) if (isScalar(key) && key.value === name) key.commentBefore = ` ${text}`;
}
