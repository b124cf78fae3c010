import { Document, isMap, isScalar, visit, YAMLMap } from "yaml";
import type { InitApp } from "./init-apps.ts";
import type { Origin } from "./init-words.ts";

/** Where Applications were read, as the configuration says it. */
export interface ArgoCdForm {
  kubernetes?: { kubeconfigFile: string; context?: string };
  server?: string;
  tokenFile?: string;
  caFile?: string;
  namespaces?: string[];
}

const UNKNOWN_URL = "https://git.example.com/change/me.git";

/** A first configuration of these apps. It is valid as it is; its comments say what to look at. */
export function initialConfiguration(
  apps: Record<string, InitApp>,
  origin: Origin,
  argocd: ArgoCdForm | undefined,
): string {
  const environments = [...new Set(Object.values(apps).flatMap(({ targets }) => Object.keys(targets)))].toSorted();
  const document = new Document({
    apiVersion: "gitspan.dev/v1alpha1",
    kind: "Bridge",
    database: { embedded: "./data" },
    repositories: {
      gitops: { url: origin.url ?? UNKNOWN_URL, ...(origin.branch === undefined ? {} : { branch: origin.branch }) },
    },
    ...(argocd === undefined ? {} : { argocd: { main: argocd } }),
    environments: Object.fromEntries(environments.map((name) => [name, {}])),
    apps,
    access: [],
  });
  document.commentBefore = HEAD;
  inOneLine(document);
  const auth = argocd === undefined ? `${AUTH} ${ARGOCD}` : AUTH;
  remark(document, "repositories", origin.url === undefined ? `The address is not known: correct it. ${auth}` : auth);
  remark(document, "apps", APPS);
  remark(document, "access", ACCESS);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

const HEAD = ` yaml-language-server: $schema=./gitspan.schema.json
 Written by gitspan init. Make the schema with: gitspan schema > gitspan.schema.json`;
const AUTH = "Add auth: {tokenFile: ...} (docs/configuration.md).";
const ARGOCD = "Argo CD goes into argocd:.";
const APPS = "Remove what your CI does not build, and say with from: where builds must come from.";
const ACCESS =
  'Nobody may do anything yet: {subject: "token:ci", actions: [deliver], apps: ["*"], environments: ["*"]}';

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
