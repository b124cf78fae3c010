import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readAbilities } from "../../src/git/capabilities.ts";
import { readFetchAnswer } from "../../src/git/fetch-answer.ts";
import { failureOf } from "../../src/git/http-failure.ts";
import { lineOf, readPackets } from "../../src/git/pkt-line.ts";
import { readPushReport } from "../../src/git/push-report.ts";
import { resultOfStatus } from "../../src/git/push-status.ts";
import { classifyRejection } from "../../src/git/rejection.ts";
import { giteaAnswer, giteaAnswers } from "./golden.ts";

const PLACE = "http://127.0.0.1:3000/platform/gitops.git";
const refused = (reason: string) => ({ kind: "refused", reason });

/** Each recorded answer, and what it has to be taken for. NUL bytes were recorded as `@`. */
const READINGS: Record<string, (name: string) => void> = {
  "private-noauth": isAuth("Unauthorized"),
  "private-wrong-token": isAuth("Failed to authenticate user"),
  "public-wrong-token": isAuth("Failed to authenticate user"),
  "receive-noauth": isAuth("Unauthorized"),
  "receive-wrong-token": isAuth("Failed to authenticate user"),
  // A repository that is not there looks like one that needs a login, until somebody has logged in.
  "repo-missing": isAuth("Unauthorized"),
  "repo-missing-auth": (name) => {
    expect(failureOf(giteaAnswer(name), PLACE, 0)).toMatchObject({ code: "git-not-found", transient: false });
    expect(resultOfStatus(giteaAnswer(name), 0)).toMatchObject(refused("not-found"));
  },
  "raw-receive-protected": isRejection("main", refused("protected")),
  "raw-receive-protected-no-sideband": isRejection("main", refused("hook-declined")),
  "raw-receive-stale-old": isRejection("race-28865", { kind: "race" }),
  "raw-receive-stale-old-no-sideband": isRejection("race-28865", { kind: "look", otherwise: { kind: "unavailable" } }),
  "receive-ok-anyuser": offersPushes,
  "receive-ok-basic": offersPushes,
  "receive-ok-header-bearer": offersPushes,
  "receive-ok-header-token": offersPushes,
  "receive-ok-token-as-user": offersPushes,
  "receive-password": offersPushes,
  // Gitea takes pull requests by push from everybody: a reader is refused only when the push comes.
  "receive-reader-403": offersPushes,
  "receive-v2-header": offersPushes,
  "v0-info-refs-upload": speaks(0),
  "v1-info-refs-upload": speaks(0),
  "v2-info-refs-upload": speaks(2),
  "v2-fetch-filter-want-BLOB": givesPack,
  "v2-fetch-filter-want-PAR": givesPack,
  "v2-fetch-filter-want-TIP": givesPack,
  "v2-fetch-filter-want-TREE": givesPack,
  "v2-fetch-want-unknown": (name) => {
    expect(() => readFetchAnswer(giteaAnswer(name).body)).toThrow(expect.objectContaining({ code: "git-not-found" }));
  },
  "v2-ls-refs": listsMain,
  "v2-ls-refs-chunked": listsMain,
  "v2-ls-refs-gzip-body": listsMain,
  "v2-ls-refs-wrong-content-type": (name) => {
    expect(giteaAnswer(name).status).toBe(400);
    expect(failureOf(giteaAnswer(name), PLACE, 0)).toMatchObject({ code: "git-protocol", transient: false });
  },
};

describe("what Gitea answered", () => {
  it.each(giteaAnswers())("%s", (name) => {
    expect(READINGS[name], `${name} has no expectation`).toBeDefined();
    READINGS[name]?.(name);
  });

  it("is on record for every expectation", () => {
    expect(giteaAnswers()).toEqual(Object.keys(READINGS).toSorted());
    expect(readdirSync(new URL("../golden/git/gitea/", import.meta.url))).toHaveLength(giteaAnswers().length);
  });
});

function isAuth(words: string) {
  return (name: string): void => {
    const answer = giteaAnswer(name);
    const failure = failureOf(answer, PLACE, 0);
    expect(failure).toMatchObject({ code: "git-auth", transient: false });
    expect(failure.message).toContain(words);
    expect(resultOfStatus(answer, 0)).toMatchObject(refused("auth"));
  };
}

function isRejection(branch: string, expected: unknown) {
  return (name: string): void => {
    const { ref, remote } = readPushReport(giteaAnswer(name).body, `refs/heads/${branch}`);
    expect(ref?.ok).toBe(false);
    const status = ref?.ok === false ? ref.reason : "";
    expect(classifyRejection({ status, remote })).toEqual(expected);
  };
}

function linesOf(name: string): string[] {
  return [...readPackets(giteaAnswer(name).body)].flatMap((part) => (part.kind === "data" ? [lineOf(part.data)] : []));
}

function offersPushes(name: string): void {
  expect(giteaAnswer(name).status).toBe(200);
  const [announcement, first = ""] = linesOf(name);
  expect(announcement).toBe("# service=git-receive-pack");
  for (const word of ["report-status", "report-status-v2", "side-band-64k", "atomic", "ofs-delta"]) {
    expect(first.split(/[@ ]/)).toContain(word);
  }
}

function speaks(version: 0 | 2) {
  return (name: string): void => {
    const body = Buffer.from(giteaAnswer(name).body.toString("latin1").replace("HEAD@", "HEAD\0"), "latin1");
    expect(readAbilities(body, PLACE)).toMatchObject({ version, single: true });
  };
}

function givesPack(name: string): void {
  const { body } = giteaAnswer(name);
  expect(readFetchAnswer(body).pack.toString("latin1", 0, 4)).toBe("PACK");
}

function listsMain(name: string): void {
  expect(linesOf(name).some((line) => /^[0-9a-f]{40} refs\/heads\/main$/.test(line))).toBe(true);
}
