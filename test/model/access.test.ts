import { describe, expect, it } from "vitest";
import { type AccessRule, isAllowed } from "../../src/model/access.ts";

const rules: AccessRule[] = [
  { subject: "token:shop-ci", actions: ["deliver"], apps: ["checkout"], environments: ["dev", "staging"] },
  { subject: "group:platform", actions: ["read", "deliver", "hold"], apps: ["*"], environments: ["*"] },
];
const deliver = (app: string, environment: string) => ({ action: "deliver", app, environment }) as const;

describe("access", () => {
  it("is refused without a rule", () => {
    expect(isAllowed([], { subject: "token:shop-ci", groups: [] }, deliver("checkout", "dev"))).toBe(false);
  });

  it("is given for exactly the app, environment and action of a rule", () => {
    const caller = { subject: "token:shop-ci", groups: [] };
    expect(isAllowed(rules, caller, deliver("checkout", "staging"))).toBe(true);
    expect(isAllowed(rules, caller, deliver("checkout", "prod"))).toBe(false);
    expect(isAllowed(rules, caller, deliver("cart", "dev"))).toBe(false);
    expect(isAllowed(rules, caller, { action: "hold", app: "checkout", environment: "dev" })).toBe(false);
  });

  it("comes with a group, but a subject cannot call itself a group", () => {
    expect(isAllowed(rules, { subject: "token:ann", groups: ["platform"] }, deliver("cart", "prod"))).toBe(true);
    expect(isAllowed(rules, { subject: "token:group:platform", groups: [] }, deliver("cart", "prod"))).toBe(false);
    expect(isAllowed(rules, { subject: "token:ann", groups: ["group:platform"] }, deliver("cart", "prod"))).toBe(false);
  });

  it("of another CI's subject may name many at once, part by part", () => {
    const rule = (subject: string): AccessRule[] => [{ ...rules[0]!, subject }];
    const may = (pattern: string, subject: string): boolean =>
      isAllowed(rule(pattern), { subject, groups: [] }, deliver("checkout", "dev"));
    const main = "oidc:github:repo:shop/checkout:ref:refs/heads/main";
    expect(may(main, main)).toBe(true);
    expect(may("oidc:github:repo:shop/*:ref:refs/heads/main", main)).toBe(true);
    expect(may("oidc:github:repo:shop/checkout:ref:refs/heads/*", main)).toBe(true);
    expect(may("oidc:github:*", main)).toBe(false);
    expect(may("oidc:github:repo:shop/*", main)).toBe(false);
    expect(may("oidc:*:repo:shop/checkout:ref:refs/heads/main", main)).toBe(true);
    expect(may("oidc:github:repo:shop/*:ref:refs/heads/main", "oidc:github:repo:evil/x:ref:refs/heads/main")).toBe(
      false,
    );
    expect(may("oidc:github:repo:*:ref:refs/heads/main", `${main}:ref:refs/heads/main`)).toBe(false);
    // In every other kind of subject a star is a star.
    expect(may("token:*", "token:shop-ci")).toBe(false);
    expect(may("oidc:token:*", "token:shop-ci")).toBe(false);
  });
});
