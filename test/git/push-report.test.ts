import { describe, expect, it } from "vitest";
import { FLUSH, packet } from "../../src/git/pkt-line.ts";
import { readPushReport } from "../../src/git/push-report.ts";
import { giteaAnswer } from "./golden.ts";

const band = (number: number, data: string | Buffer): Buffer =>
  packet(Buffer.concat([Buffer.from([number]), Buffer.from(data)]));

describe("the report of a push", () => {
  it("gives Gitea's reason, which stands on the side band only", () => {
    expect(readPushReport(giteaAnswer("raw-receive-protected").body, "refs/heads/main")).toEqual({
      unpack: "ok",
      ref: { ok: false, reason: "pre-receive hook declined" },
      remote: "error: Not allowed to push to protected branch main",
    });
  });

  it("gives both channels of a lost race", () => {
    expect(readPushReport(giteaAnswer("raw-receive-stale-old").body, "refs/heads/race-28865")).toEqual({
      unpack: "ok",
      ref: { ok: false, reason: "failed to update ref" },
      remote:
        "error: cannot lock ref 'refs/heads/race-28865': is at 0c53b584805ffb279e0fa68479328a5f9ea9c09a but expected b8df4d68d7a82d5ab24851cbc3ecc117c7dff73b",
    });
  });

  it("is read without a side band too", () => {
    expect(readPushReport(giteaAnswer("raw-receive-protected-no-sideband").body, "refs/heads/main")).toEqual({
      unpack: "ok",
      ref: { ok: false, reason: "pre-receive hook declined" },
      remote: "",
    });
  });

  it("has no opinion on the ref wherever the answer breaks off before it", () => {
    const { body } = giteaAnswer("raw-receive-protected");
    const whole = readPushReport(body, "refs/heads/main").ref;
    for (let length = 0; length < body.length; length++) {
      const { ref } = readPushReport(body.subarray(0, length), "refs/heads/main");
      expect([undefined, whole]).toContainEqual(ref);
    }
    expect(readPushReport(body.subarray(0, 80), "refs/heads/main").ref).toBeUndefined();
  });

  it("does not take what is said of another ref for an answer", () => {
    const report = Buffer.concat([packet("unpack ok\n"), packet("ok refs/heads/mainline\n"), FLUSH]);
    expect(readPushReport(Buffer.concat([band(1, report), FLUSH]), "refs/heads/main").ref).toBeUndefined();
  });

  it("puts a report together that is spread over several packets", () => {
    const report = Buffer.concat([packet("unpack ok\n"), packet("ok refs/heads/main\n"), FLUSH]);
    const body = Buffer.concat([
      band(2, "Resolving deltas:  50%\rResolving deltas: 100%, done.\n"),
      band(1, report.subarray(0, 9)),
      band(2, "hello from the\u0007 hook\n"),
      band(1, report.subarray(9)),
      FLUSH,
    ]);
    expect(readPushReport(body, "refs/heads/main")).toEqual({
      unpack: "ok",
      ref: { ok: true },
      remote: "Resolving deltas: 100%, done.\nhello from the hook",
    });
  });

  it("keeps the words that stand instead of a report", () => {
    expect(readPushReport(packet("ERR Repository not found"), "refs/heads/main").fatal).toBe("Repository not found");
    expect(readPushReport(band(3, "broken\n"), "refs/heads/main").fatal).toBe("broken");
    expect(readPushReport(Buffer.from("Everything up-to-date\n"), "refs/heads/main")).toEqual({ remote: "" });
  });

  it("is read in version 2 too: where the server has put the commits instead", () => {
    const read = (...lines: string[]) =>
      readPushReport(Buffer.concat([band(1, Buffer.concat([...lines.map(packet), FLUSH])), FLUSH]), "refs/heads/main");
    const other = "c".repeat(40);
    expect(read("unpack ok\n", "ok refs/heads/main\n", `option new-oid ${other}\n`)).toMatchObject({
      ref: { ok: true },
      instead: { oid: other },
    });
    expect(read("unpack ok\n", "ok refs/heads/main\n", "option refname refs/pull/7/head\n")).toMatchObject({
      instead: { ref: "refs/pull/7/head" },
    });
    expect(read("unpack ok\n", "ok refs/heads/main\n", "option forced-update\n").instead).toBeUndefined();
    expect(read("unpack ok\n", "ng refs/heads/main no\n", "option refname refs/x\n").instead).toBeUndefined();
  });
});
