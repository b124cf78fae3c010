import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TOKENS } from "../http/fake-ports.ts";
import { type CliServer, runCli, startServer } from "./run-cli.ts";

let server: CliServer;
beforeEach(async () => {
  server = await startServer();
});
afterEach(() => server.close());

const asOperator = (...args: string[]) => runCli(args, { env: { ...server.env, GITSPAN_TOKEN: TOKENS.operator } });

describe("gitspan holds", () => {
  it("creates, lists and removes", async () => {
    const created = await asOperator(
      "holds",
      "create",
      "checkout/staging",
      "--why",
      "it crashes",
      "--for",
      "12h",
      "-o",
      "json",
    );
    expect([created.code, created.stderr]).toEqual([0, ""]);
    const { id, until } = JSON.parse(created.stdout) as { id: string; until: string };
    expect(Date.parse(until)).toBeGreaterThan(Date.now());
    const list = await asOperator("holds", "list", "--app", "checkout");
    expect(list.stdout).toMatch(
      /^HOLD +TARGET +HOLDS +BY +UNTIL +WHY\n.* checkout\/staging +any +token:operator .* it crashes\n$/,
    );
    expect(await asOperator("holds", "list", "-o", "name")).toMatchObject({ stdout: `hold/${id}\n` });
    expect(await asOperator("holds", "remove", id)).toEqual({ code: 0, stdout: "", stderr: `hold ${id} is removed\n` });
    expect(await asOperator("holds", "remove", id)).toMatchObject({ code: 1, stdout: "" });
  });

  it("wants a reason, and one end at most", async () => {
    expect((await asOperator("holds", "create", "checkout/staging")).code).toBe(2);
    const both = ["--until", "2099-01-01T00:00:00Z", "--for", "1h"];
    expect((await asOperator("holds", "create", "checkout/staging", "--why", "w", ...both)).code).toBe(2);
  });

  it("ends with 4 for those who may not", async () => {
    const refused = await runCli(["holds", "create", "checkout/staging", "--why", "w"], { env: server.env });
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain("token:shop-ci may not hold or release checkout/staging");
  });
});

describe("gitspan targets", () => {
  it("says which annotated Applications are none, and why", async () => {
    const application = { cluster: "main", namespace: "argocd", name: "web" };
    const words = {
      app: "checkout",
      environment: "staging",
      images: [],
      message: "web is no target",
      hint: "List it.",
    };
    server.ports.refusedApplications = [{ application, ...words }];
    const { code, stdout, stderr } = await asOperator("targets", "list", "-o", "name");
    expect([code, stdout, stderr]).toEqual([0, "target/checkout/staging\n", "gitspan: web is no target. List it.\n"]);
  });

  it("lists and shows", async () => {
    const list = await asOperator("targets", "list");
    expect(list.stdout).toBe("TARGET            RUNS  COMMIT  STATE  KEPT BY\ncheckout/staging  -     -       -\n");
    const one = await asOperator("targets", "get", "checkout/staging");
    expect(one.stdout).toContain("Written to:  gitops@main\n");
    expect(one.stdout).toContain("Pinned:      no\n");
    expect((await asOperator("targets", "get", "checkout")).code).toBe(2);
  });

  it("releases a pinned target and says when there was no pin", async () => {
    await server.ports.memory.pin("checkout/staging", { by: "ada", why: "reverted" });
    expect((await asOperator("targets", "list")).stdout).toMatch(/ pin\n$/);
    expect(await asOperator("targets", "release", "checkout/staging")).toMatchObject({
      code: 0,
      stderr: "checkout/staging is released\n",
    });
    const again = await asOperator("targets", "release", "checkout/staging");
    expect(again.stderr).toBe("checkout/staging was not pinned\n");
  });
});
