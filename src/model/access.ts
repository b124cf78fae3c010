import { matchesPattern } from "./match.ts";

export const ACTIONS = ["read", "deliver", "rollback", "hold"] as const;
export type Action = (typeof ACTIONS)[number];

/** Who is calling: one subject and the groups it belongs to. */
export interface Caller {
  subject: string;
  groups: readonly string[];
}

export interface AccessRule {
  /** `token:NAME`, `tekton:CLUSTER/NAMESPACE`, `serviceaccount:NAMESPACE/NAME`, `oidc:NAME:SUBJECT` (with `*`) or `group:NAME`. */
  subject: string;
  actions: readonly Action[];
  /** App names, or `*`. */
  apps: readonly string[];
  environments: readonly string[];
}

export interface Permission {
  action: Action;
  app: string;
  environment: string;
}

/** True only when a rule says so: no rule means no. */
export function isAllowed(rules: readonly AccessRule[], caller: Caller, wanted: Permission): boolean {
  return rules.some(
    (rule) =>
      namesCaller(rule.subject, caller) &&
      rule.actions.includes(wanted.action) &&
      matches(rule.apps, wanted.app) &&
      matches(rule.environments, wanted.environment),
  );
}

function namesCaller(subject: string, caller: Caller): boolean {
  if (subject === caller.subject) return true;
  if (subject.startsWith("oidc:")) return matchesParts(subject, caller.subject);
  return subject.startsWith("group:") && caller.groups.includes(subject.slice("group:".length));
}

/** Between two colons `*` stands for any text, never for a colon: no part of a subject can pass for another one. */
function matchesParts(pattern: string, subject: string): boolean {
  const [wanted, found] = [pattern.split(":"), subject.split(":")];
  return wanted.length === found.length && wanted.every((part, index) => matchesPattern(part, found[index] ?? ""));
}

function matches(patterns: readonly string[], value: string): boolean {
  return patterns.includes("*") || patterns.includes(value);
}
