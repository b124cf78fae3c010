import { ANY_NAME } from "../model/pattern.ts";
import { checkAccess } from "./access-checks.ts";
import type { ConfigurationDocument, KeyPath } from "./document.ts";
import { ANY_ENVIRONMENT, expandApps } from "./expand.ts";
import { withPath } from "./issues.ts";
import { didYouMean } from "./nearest.ts";
import { checkFiles, checkPlaces, type Report } from "./place-checks.ts";
import { checkPlaceholders } from "./placeholder-checks.ts";
import type { ConfigurationProblem } from "./problems.ts";
import { onlyRepository } from "./resolve-targets.ts";
import type { RawConfiguration } from "./schema.ts";
import { checkTrust } from "./trust-checks.ts";

/** What only shows when the parts of a file are held against each other: names that nobody has, places claimed twice. */
export function crossChecks(document: ConfigurationDocument, raw: RawConfiguration): ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  const report = (path: KeyPath, message: string, hint?: string, at = document.at(path)): void => {
    problems.push({ code: "config-invalid", at, message: withPath(path, message), hint });
  };
  const names = {
    environment: Object.keys(raw.environments ?? {}),
    repository: Object.keys(raw.repositories),
    "Argo CD": Object.keys(raw.argocd ?? {}),
    app: Object.keys(raw.apps ?? {}),
    signature: Object.keys(raw.signatures ?? {}),
    "Tekton cluster": Object.keys(raw.tekton ?? {}),
    "OIDC issuer": Object.keys(raw.oidc ?? {}),
  };
  const known = (kind: keyof typeof names, name: string, path: KeyPath, at = document.at(path)): void => {
    if (!names[kind].includes(name)) report(path, `there is no ${kind} "${name}"`, didYouMean(name, names[kind]), at);
  };

  for (const [name, access] of Object.entries(raw.repositories)) checkAccess(["repositories", name], access, report);
  for (const [name, access] of Object.entries(raw.sources ?? {})) checkAccess(["sources", name], access, report);
  for (const [name, argocd] of Object.entries(raw.argocd ?? {})) checkArgocd(["argocd", name], argocd, report);
  for (const [name, tekton] of Object.entries(raw.tekton ?? {})) checkTekton(["tekton", name], tekton, report);
  raw.trust?.require.forEach((name, index) => known("environment", name, ["trust", "require", index]));
  checkTrust(raw, report);
  checkIssuers(raw.oidc ?? {}, report);
  for (const [appName, app] of Object.entries(raw.apps ?? {})) {
    const path = ["apps", appName];
    checkImages([...path, "images"], app.images, report);
    checkPlaceholders(path, appName, app, report);
    for (const [environment, target] of Object.entries(app.targets)) {
      const own = [...path, "targets", environment];
      if (environment !== ANY_ENVIRONMENT) known("environment", environment, own, document.atKey(own));
      if (target.repository !== undefined) known("repository", target.repository, [...own, "repository"]);
      else if (onlyRepository(raw) === undefined) {
        report(
          [...own, "repository"],
          "is missing: there is more than one repository",
          `one of ${names.repository.join(", ")}`,
        );
      }
      checkFiles(own, app, target, report);
      target.applications?.forEach((application, index) => {
        known("Argo CD", application.split("/")[0] ?? "", [...own, "applications", index]);
      });
      const { success, applications } = target;
      if (success !== undefined && applications !== undefined && success.atLeast > applications.length) {
        report([...own, "success", "atLeast"], `is more than the ${applications.length} of applications`);
      }
    }
  }
  raw.annotated?.forEach((entry, index) => {
    const own = (key: "environments" | "repositories", at: number): KeyPath => ["annotated", index, key, at];
    entry.environments.forEach((name, at) => known("environment", name, own("environments", at)));
    entry.repositories?.forEach((name, at) => known("repository", name, own("repositories", at)));
  });
  if (raw.annotated !== undefined && names["Argo CD"].length === 0)
    report(["annotated"], "needs an Argo CD, whose Applications are annotated", "add argocd");
  if (raw.annotated !== undefined && names.app.includes(ANY_NAME)) {
    const message = `does not go with the app ${ANY_NAME}: both would take any name`;
    report(["annotated"], message, "remove one of the two");
  }
  raw.access?.forEach((rule, index) => {
    const signature = /^signature:(.*)$/.exec(rule.subject)?.[1];
    if (signature !== undefined) known("signature", signature, ["access", index, "subject"]);
    const cluster = /^tekton:(.*)\//.exec(rule.subject)?.[1];
    if (cluster !== undefined) known("Tekton cluster", cluster, ["access", index, "subject"]);
    const issuer = /^oidc:([^:]*):/.exec(rule.subject)?.[1];
    if (issuer !== undefined) known("OIDC issuer", issuer, ["access", index, "subject"]);
    const account = /^serviceaccount:(.*)$/.exec(rule.subject)?.[1]?.split("/") ?? [];
    if (account.length > 0) checkAccount(["access", index, "subject"], account, raw, report);
    // With a pattern, or annotated Applications, any name may be that of an app.
    const anyApp = names.app.includes(ANY_NAME) || raw.annotated !== undefined;
    rule.apps.forEach((app, i) => app === "*" || anyApp || known("app", app, ["access", index, "apps", i]));
    rule.environments.forEach(
      (name, i) => name === "*" || known("environment", name, ["access", index, "environments", i]),
    );
  });
  if (problems.length === 0) {
    checkPlaces(expandApps(raw), (path, ...rest) => report(asWritten(raw, path), ...rest));
  }
  return problems;
}

/** The path of a target with `{env}` where the file has no entry for the environment itself. */
function asWritten(raw: RawConfiguration, path: KeyPath): KeyPath {
  const targets = raw.apps?.[String(path[1])]?.targets ?? {};
  return path.map((key, index) => (index === 3 && !Object.hasOwn(targets, key) ? ANY_ENVIRONMENT : key));
}

function checkArgocd(path: KeyPath, argocd: NonNullable<RawConfiguration["argocd"]>[string], report: Report): void {
  const tokens = (["tokenFile", "tokenEnv"] as const).filter((key) => argocd[key] !== undefined);
  const [first] = tokens;
  if (argocd.server === undefined && argocd.kubernetes === undefined) report(path, "needs kubernetes, server, or both");
  if (argocd.server === undefined && first !== undefined)
    report([...path, first], "is for a server, and there is none");
  if (argocd.server !== undefined && tokens.length !== 1)
    report(path, "a server needs exactly one of tokenFile, tokenEnv");
}

function checkTekton(path: KeyPath, tekton: NonNullable<RawConfiguration["tekton"]>[string], report: Report): void {
  const { kubernetes, events, watch, results } = tekton;
  if (watch !== undefined && kubernetes === undefined) report([...path, "watch"], "needs kubernetes");
  if (results !== undefined && watch === undefined)
    report([...path, "results"], "needs watch", "`watch: {}` is enough");
  if (kubernetes === undefined && events?.trusted !== true) {
    report(path, "needs kubernetes, so that runs can be read again", "or events: {trusted: true}, to believe events");
  }
  if (kubernetes !== undefined && events?.trusted === true) {
    report([...path, "events", "trusted"], "is for a cluster whose runs cannot be read", "remove it, or kubernetes");
  }
  if (events?.pathSecretFile !== undefined && events.pathSecretEnv !== undefined) {
    report([...path, "events"], "needs only one of pathSecretFile, pathSecretEnv");
  }
}

/** A token says its issuer, and by that alone it is known who checks it. */
function checkIssuers(issuers: NonNullable<RawConfiguration["oidc"]>, report: Report): void {
  const owners = new Map<string, string>();
  for (const [name, { issuer, jwksUri, jwksFile, caFile }] of Object.entries(issuers)) {
    const owner = owners.get(issuer);
    if (owner !== undefined) report(["oidc", name, "issuer"], `is already that of "${owner}"`, "keep one of the two");
    owners.set(issuer, owner ?? name);
    if (jwksUri !== undefined && jwksFile !== undefined) report(["oidc", name], "needs only one of jwksUri, jwksFile");
    if (jwksFile !== undefined && caFile !== undefined) {
      report(["oidc", name, "caFile"], "is for keys that are asked for over the network");
    }
  }
}

/** Every cluster may have a namespace and an account of the same names: with several of them a rule has to say which. */
function checkAccount(path: KeyPath, account: readonly string[], raw: RawConfiguration, report: Report): void {
  const clusters = Object.entries(raw.tekton ?? {}).flatMap(([name, { kubernetes }]) => (kubernetes ? [name] : []));
  const cluster = account.length === 3 ? account[0] : undefined;
  if (cluster === undefined && clusters.length > 1) {
    report(path, "does not say of which cluster", `serviceaccount:CLUSTER/NAMESPACE/NAME, of ${clusters.join(", ")}`);
  }
  if (cluster !== undefined && clusters.length < 2) {
    report(path, "names a cluster, and there are not several", "serviceaccount:NAMESPACE/NAME");
  } else if (cluster !== undefined && !clusters.includes(cluster)) {
    report(path, `there is no Tekton cluster "${cluster}" with kubernetes`, didYouMean(cluster, clusters));
  }
}

function checkImages(path: KeyPath, images: Record<string, string>, report: Report): void {
  const owners = new Map<string, string>();
  for (const [name, repository] of Object.entries(images)) {
    const owner = owners.get(repository);
    if (owner !== undefined)
      report([...path, name], `${repository} is already the image "${owner}"`, "keep one of the two");
    owners.set(repository, name);
  }
}
