import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { get, list, nameOf, ofKind, ROOT, shipped, text, textsIn } from "./catalog.ts";

const roles = [...ofKind("Role"), ...ofKind("ClusterRole")].filter(({ file }) => /^rbac\/[^/]+$/.test(file));
const accounts = ofKind("ServiceAccount").filter(({ file }) => file === "rbac/accounts.yaml");

/** As the README's table has it, without the reason. */
function rows(): string[] {
  return roles.flatMap(({ object }) =>
    list(object["rules"]).map((rule) => {
      const [group = ""] = textsIn(rule["apiGroups"]);
      const resources = `${group === "" ? "" : `\`${group}\`: `}${textsIn(rule["resources"]).join(", ")}`;
      return `| ${text(object["kind"])} \`${nameOf(object)}\` | ${resources} | ${textsIn(rule["verbs"]).join(", ")} |`;
    }),
  );
}

describe("the rights", () => {
  it("are each in the README with a reason, and the README has no others", () => {
    const markdown = readFileSync(path.join(ROOT, "rbac/README.md"), "utf8");
    const table = markdown.split("\n").filter((line) => /^\| (?:Cluster)?Role `/.test(line));
    expect(table.map((line) => line.replace(/[^|]+\|$/, "")).toSorted()).toEqual(rows().toSorted());
    for (const line of table) expect(line).toMatch(/\| [^|]{20,} \|$/);
  });

  it("have no wildcard, no secrets, no impersonation, and change nothing but new runs and events", () => {
    const rules = [...ofKind("Role"), ...ofKind("ClusterRole")].flatMap(({ object }) => list(object["rules"]));
    expect(rules.length).toBeGreaterThan(8);
    for (const rule of rules) {
      expect(textsIn(rule)).not.toContain("*");
      expect(textsIn(rule["resources"])).not.toContain("secrets");
      expect(textsIn(rule["verbs"])).not.toContain("impersonate");
      const changes = textsIn(rule["verbs"]).filter((verb) => !["get", "list", "watch"].includes(verb));
      const what = textsIn(rule["resources"]).join();
      const allowed: Record<string, string[]> = {
        pipelineruns: ["create"],
        events: ["create", "patch"],
        tokenreviews: ["create"],
      };
      expect(changes, what).toEqual(allowed[what] ?? []);
    }
  });

  it("leave those that run code of a repository, and the one that delivers, with none at all", () => {
    const names = accounts.map(({ object }) => nameOf(object));
    expect(names).toEqual(["build-and-deliver", "pull-request", "deliver"]);
    const bindings = [...ofKind("RoleBinding"), ...ofKind("ClusterRoleBinding")];
    const bound = bindings.flatMap(({ object }) => list(object["subjects"]).map(nameOf));
    expect(bound.filter((name) => names.includes(name))).toEqual([]);
    for (const { object } of accounts) {
      expect(object).toMatchObject({
        automountServiceAccountToken: false,
        imagePullSecrets: [{ name: "pull-credentials" }],
      });
    }
  });

  it("are bound to accounts and roles that are shipped", () => {
    const known = new Set(
      shipped().map(({ object }) => `${String(object["kind"])} ${String(get(object, "metadata", "name"))}`),
    );
    const bindings = [...ofKind("RoleBinding"), ...ofKind("ClusterRoleBinding")];
    const wanted = bindings.flatMap(({ object }) => [
      `${text(get(object, "roleRef", "kind"))} ${text(get(object, "roleRef", "name"))}`,
      ...list(object["subjects"])
        .filter((one) => one["kind"] === "ServiceAccount" && one["namespace"] !== "gitspan")
        .map((one) => `ServiceAccount ${nameOf(one)}`),
    ]);
    const elsewhere = "ClusterRole tekton-results-readonly";
    expect(wanted.length).toBeGreaterThan(10);
    expect(wanted.filter((one) => one !== elsewhere && !known.has(one))).toEqual([]);
  });
});
