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
});
