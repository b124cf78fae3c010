import { repositoryKey } from "../model/repository-url.ts";
import type { Target } from "../model/target.ts";
import type { ConfigurationDocument, KeyPath } from "./document.ts";
import { withPath } from "./issues.ts";
import { didYouMean } from "./nearest.ts";
import type { ConfigurationProblem } from "./problems.ts";
import { onlyRepository, resolveTargets } from "./resolve-targets.ts";
import type { RawConfiguration } from "./schema.ts";

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
  };
  const known = (kind: keyof typeof names, name: string, path: KeyPath, at = document.at(path)): void => {
    if (!names[kind].includes(name)) report(path, `there is no ${kind} "${name}"`, didYouMean(name, names[kind]), at);
  };

  for (const [name, argocd] of Object.entries(raw.argocd ?? {})) checkArgocd(["argocd", name], argocd, report);
  for (const [appName, app] of Object.entries(raw.apps ?? {})) {
    const path = ["apps", appName];
    checkImages([...path, "images"], app.images, report);
    for (const [environment, target] of Object.entries(app.targets)) {
      const own = [...path, "targets", environment];
      known("environment", environment, own, document.atKey(own));
      if (target.repository !== undefined) known("repository", target.repository, [...own, "repository"]);
      else if (onlyRepository(raw) === undefined) {
        report(
          [...own, "repository"],
          "is missing: there is more than one repository",
          `one of ${names.repository.join(", ")}`,
        );
      }
      target.applications?.forEach((application, index) => {
        known("Argo CD", application.split("/")[0] ?? "", [...own, "applications", index]);
      });
    }
  }
  raw.access?.forEach((rule, index) => {
    rule.apps.forEach((app, i) => app === "*" || known("app", app, ["access", index, "apps", i]));
    rule.environments.forEach(
      (name, i) => name === "*" || known("environment", name, ["access", index, "environments", i]),
    );
  });
  if (problems.length === 0) checkPlaces(raw, report);
  return problems;
}

type Report = (path: KeyPath, message: string, hint?: string) => void;

function checkArgocd(path: KeyPath, argocd: NonNullable<RawConfiguration["argocd"]>[string], report: Report): void {
  const tokens = (["tokenFile", "tokenEnv"] as const).filter((key) => argocd[key] !== undefined);
  const [first] = tokens;
  if (argocd.server === undefined && argocd.kubernetes === undefined) report(path, "needs kubernetes, server, or both");
  if (argocd.server === undefined && first !== undefined)
    report([...path, first], "is for a server, and there is none");
  if (argocd.server !== undefined && tokens.length !== 1)
    report(path, "a server needs exactly one of tokenFile, tokenEnv");
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

/** Two targets that write one image at one place would undo each other. */
function checkPlaces(raw: RawConfiguration, report: Report): void {
  const owners = new Map<string, Target>();
  for (const target of resolveTargets(raw)) {
    const url = raw.repositories[target.repository]?.url ?? "";
    for (const place of target.places) {
      for (const image of target.images) {
        const key = JSON.stringify([repositoryKey(url), target.branch, place.directory, image.repository]);
        const owner = owners.get(key);
        owners.set(key, owner ?? target);
        if (owner === undefined || owner === target) continue;
        const path = ["apps", target.app, "targets", target.environment, "kustomize"];
        report(path, `${owner.id} already writes ${image.repository} there`, "give each target a folder of its own");
      }
    }
  }
}
