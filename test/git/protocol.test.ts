import { describe, expect, it } from "vitest";
import { refOf } from "../../src/git/branch-name.ts";
import { readCapabilities } from "../../src/git/capabilities.ts";
import { readFetchAnswer } from "../../src/git/fetch-answer.ts";
import { failureOf, retryAfterOf } from "../../src/git/http-failure.ts";
import { DELIMITER, FLUSH, lineOf, packet, readPackets } from "../../src/git/pkt-line.ts";
import { giteaAnswer } from "./golden.ts";

const place = "https://git.example.com/a.git";
const advertisement = (...lines: string[]): Buffer =>
  Buffer.concat([...["version 2", ...lines].map((line) => packet(`${line}\n`)), FLUSH]);

describe("packets", () => {
  it("come back as they were framed", () => {
    const bytes = Buffer.concat([packet("a\n"), DELIMITER, packet(Buffer.from([0, 1])), Buffer.from("0002"), FLUSH]);
    expect(Array.from(readPackets(bytes), (part) => (part.kind === "data" ? lineOf(part.data) : part.kind))).toEqual([
      "a",
      "delimiter",
      "\0\u0001",
      "end",
      "flush",
    ]);
  });

  it.each(["<html>", "0003", "zzzz", "0009abc", "00"])("are not read from %j", (text) => {
    expect(() => [...readPackets(Buffer.from(text))]).toThrow(expect.objectContaining({ code: "git-protocol" }));
  });
});

describe("what a server can do", () => {
  it("is read from Gitea's advertisement, which begins with the service's name", () => {
    const capabilities = readCapabilities(giteaAnswer("v2-info-refs-upload").body, place);
    expect(capabilities.get("fetch")).toBe("shallow wait-for-done filter");
  });

  it.each(["v0-info-refs-upload", "v1-info-refs-upload"])("does not suffice in %s", (name) => {
    expect(() => readCapabilities(giteaAnswer(name).body, place)).toThrow(/only version 0.*not version 2/);
  });

  it.each([
    ["no filter", advertisement("ls-refs", "fetch=shallow"), /lacks "filter"/],
    ["no shallow fetches", advertisement("ls-refs", "fetch=filter"), /lacks "shallow"/],
    ["no ls-refs", advertisement("fetch=shallow filter"), /ls-refs/],
    ["sha256", advertisement("ls-refs", "fetch=shallow filter", "object-format=sha256"), /sha256/],
  ])("does not suffice with %s, and says so", (_name, body, message) => {
    expect(() => readCapabilities(body, place)).toThrow(message);
    expect(() => readCapabilities(body, place)).toThrow(expect.objectContaining({ code: "git-unsupported" }));
  });
});

describe("the answer to a fetch", () => {
  it.each([
    ["v2-fetch-filter-want-TIP", ["5c393a8e781fb65d1d32bcc1e1e3a5f55ee82ed6"]],
    ["v2-fetch-filter-want-TREE", []],
    ["v2-fetch-filter-want-BLOB", []],
  ])("of Gitea falls into its sections: %s", (name, shallow) => {
    const answer = readFetchAnswer(giteaAnswer(name).body);
    expect(answer.shallow).toEqual(shallow);
    expect(answer.pack.toString("latin1", 0, 4)).toBe("PACK");
    expect(answer.common).toBeUndefined();
  });

  it("says whether the server knows a commit of ours", () => {
    const nak = Buffer.concat([packet("acknowledgments\n"), packet("NAK\n"), FLUSH]);
    const ack = Buffer.concat([packet("acknowledgments\n"), packet(`ACK ${"a".repeat(40)}\n`), FLUSH]);
    expect(readFetchAnswer(nak).common).toBe(false);
    expect(readFetchAnswer(ack).common).toBe(true);
  });

  it("says which object the server does not give out", () => {
    expect(() => readFetchAnswer(giteaAnswer("v2-fetch-want-unknown").body)).toThrow(
      expect.objectContaining({ code: "git-not-found", message: expect.stringContaining("deadbeef") }),
    );
  });

  it("is refused when it breaks off, wherever", () => {
    const { body } = giteaAnswer("v2-fetch-filter-want-BLOB");
    for (let length = 0; length < body.length; length++) {
      expect(() => readFetchAnswer(body.subarray(0, length))).toThrow(
        expect.objectContaining({ code: "git-protocol" }),
      );
    }
  });

  it("passes on the server's last words", () => {
    const body = Buffer.concat([packet("packfile\n"), packet("\u0003out of memory\n"), FLUSH]);
    expect(() => readFetchAnswer(body)).toThrow("the Git server says: out of memory");
  });
});

describe("HTTP statuses", () => {
  const answer = (status: number, headers: Record<string, string> = {}) => ({ status, headers, body: Buffer.alloc(0) });

  it.each([
    [401, "git-auth", false],
    [403, "git-auth", false],
    [404, "git-not-found", false],
    [400, "git-protocol", false],
    [429, "git-unreachable", true],
    [500, "git-unreachable", true],
    [503, "git-unreachable", true],
  ])("%i is %s", (status, code, transient) => {
    expect(failureOf(answer(status), place, 0)).toMatchObject({ code, transient });
  });

  it("come with the server's words, but not with pages for browsers", () => {
    expect(failureOf(giteaAnswer("receive-wrong-token"), place, 0).message).toContain("Failed to authenticate user");
    expect(failureOf(giteaAnswer("repo-missing-auth"), place, 0)).toMatchObject({
      code: "git-not-found",
      message: expect.stringContaining("Repository not found"),
    });
    const page = { status: 502, headers: { "content-type": "text/html" }, body: Buffer.from("<h1>Bad</h1>") };
    expect(failureOf(page, place, 0).message).toBe(`${place} answers 502`);
  });

  it("name where a redirect leads without its secrets", () => {
    const redirect = failureOf(answer(302, { location: "https://u:p@other.example.com/b.git?token=x" }), place, 0);
    expect(redirect.message).toBe(`${place} redirects to https://other.example.com/b.git`);
  });

  it("may say when to come back, in seconds or as a date", () => {
    expect(retryAfterOf(answer(429, { "retry-after": "7" }), 0)).toBe(7000);
    expect(retryAfterOf(answer(429, { "retry-after": "Thu, 01 Jan 1970 00:01:00 GMT" }), 10_000)).toBe(50_000);
    expect(retryAfterOf(answer(429, { "retry-after": "soon" }), 0)).toBeUndefined();
    expect(retryAfterOf(answer(429), 0)).toBeUndefined();
  });
});

describe("branch names", () => {
  it.each(["main", "release/1.0", "feature/ä", "a.b"])("%j is one", (name) => {
    expect(refOf(name)).toBe(`refs/heads/${name}`);
  });

  it.each(["", "a b", "a\nb", "a..b", "a~1", "/a", "a/", "a.lock", "-a", ".a", "a/.b", "a@{0}", "a\\b", "a*"])(
    "%j is none",
    (name) => {
      expect(() => refOf(name)).toThrow(expect.objectContaining({ code: "git-branch-missing" }));
    },
  );
});
