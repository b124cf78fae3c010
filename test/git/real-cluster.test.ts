import { describe, expect, it } from "vitest";
import { readAbilities } from "../../src/git/capabilities.ts";
import { readFetchAnswer } from "../../src/git/fetch-answer.ts";
import { readPushReport } from "../../src/git/push-report.ts";
import { resultOfStatus } from "../../src/git/push-status.ts";
import { classifyRejection } from "../../src/git/rejection.ts";
import { recordedAnswer } from "./golden.ts";

/** Gitea's answers as `npm run e2e -- --record` wrote them. */
const answer = (name: string) => recordedAnswer(new URL(`../golden/e2e/gitea/${name}.http`, import.meta.url));

describe("the answers of the Gitea of the real cluster", () => {
  it.each([
    ["receive-protected", { kind: "refused", reason: "protected" }],
    ["receive-read-only-user", { kind: "refused", reason: "auth" }],
    ["receive-lost-race", { kind: "race" }],
    ["receive-stale", { kind: "race" }],
  ])("to a push that does not land: %s", (name, expected) => {
    const { unpack, ref, remote } = readPushReport(answer(name).body, "refs/heads/main");
    expect(unpack).toBe("ok");
    expect(classifyRejection({ status: ref?.ok === false ? ref.reason : "", remote })).toEqual(expected);
  });

  it("to a push that lands", () => {
    expect(readPushReport(answer("receive-landed").body, "refs/heads/main").ref).toEqual({ ok: true });
  });

  it("to a wrong token", () => {
    expect(resultOfStatus(answer("receive-wrong-token"), 0)).toMatchObject({ kind: "refused", reason: "auth" });
  });

  it("to reading: its abilities, a commit without its trees, and an object that it does not have", () => {
    const abilities = readAbilities(answer("v2-info-refs-upload").body, "http://127.0.0.1:3000/platform/gitops.git");
    expect(abilities).toMatchObject({ version: 2, single: true });
    const { pack, shallow } = readFetchAnswer(answer("v2-fetch-commit").body);
    expect(pack.toString("latin1", 0, 4)).toBe("PACK");
    expect(shallow).toHaveLength(1);
    const unknown = expect.objectContaining({
      code: "git-not-found",
      message: expect.stringContaining("1".repeat(40)),
    });
    expect(() => readFetchAnswer(answer("v2-fetch-unknown").body)).toThrow(unknown);
  });
});
