import { describe, expect, it } from "vitest";
import { refOf } from "../../src/git/branch-name.ts";
import { readAbilities } from "../../src/git/capabilities.ts";
import { RefusedWant, readFetchAnswer, readOldFetchAnswer } from "../../src/git/fetch-answer.ts";
import { type FetchRequest, oldFetchBody } from "../../src/git/fetch-request.ts";
import { failureOf, retryAfterOf } from "../../src/git/http-failure.ts";
import { DELIMITER, FLUSH, lineOf, packet, readPackets } from "../../src/git/pkt-line.ts";
import { giteaAnswer } from "./golden.ts";

const place = "https://git.example.com/a.git";
const advertisement = (...lines: string[]): Buffer =>
  Buffer.concat([...["version 2", ...lines].map((line) => packet(`${line}\n`)), FLUSH]);

function oldAdvertisement(words: string): Buffer {
  const service = packet("# service=git-upload-pack\n");
  return Buffer.concat([service, FLUSH, packet(`${"a".repeat(40)} HEAD\0${words}\n`), FLUSH]);
}

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
    const abilities = readAbilities(giteaAnswer("v2-info-refs-upload").body, place);
    expect(abilities).toMatchObject({ version: 2, single: true, refs: new Map() });
    expect([...abilities.features]).toEqual(expect.arrayContaining(["shallow", "wait-for-done", "thin-pack"]));
  });

  it.each(["v0-info-refs-upload", "v1-info-refs-upload"])("is read with the branches from %s", (name) => {
    // The NUL before the capabilities was recorded as "@".
    const body = Buffer.from(giteaAnswer(name).body.toString("latin1").replace("HEAD@", "HEAD\0"), "latin1");
    const abilities = readAbilities(body, place);
    expect(abilities.version).toBe(0);
    expect(abilities.features).toContain("side-band-64k");
    expect(abilities.refs.get("refs/heads/main")).toMatch(/^[0-9a-f]{40}$/);
  });

  it("includes single objects only where filters are served, in the old protocols by any id too", () => {
    const words = "shallow side-band-64k filter";
    const old = (more: string): Buffer => oldAdvertisement(words + more);
    expect(readAbilities(advertisement("ls-refs", "fetch=shallow"), place).single).toBe(false);
    expect(readAbilities(advertisement("ls-refs", "fetch=shallow filter"), place).single).toBe(true);
    expect(readAbilities(old(""), place).single).toBe(false);
    expect(readAbilities(old(" allow-any-sha1-in-want"), place).single).toBe(true);
  });

  it("is little for an old server with nothing in it, but no error", () => {
    const empty = Buffer.concat([packet("# service=git-upload-pack\n"), FLUSH, FLUSH]);
    expect(readAbilities(empty, place)).toMatchObject({ version: 0, single: false, refs: new Map() });
  });

  it.each([
    ["no shallow fetches", advertisement("ls-refs", "fetch=filter"), /lacks "shallow"/],
    ["no ls-refs", advertisement("fetch=shallow filter"), /ls-refs/],
    ["sha256", advertisement("ls-refs", "fetch=shallow filter", "object-format=sha256"), /sha256/],
    ["sha256 in an old protocol", oldAdvertisement("shallow side-band-64k object-format=sha256"), /sha256/],
    ["no shallow fetches in an old protocol", oldAdvertisement("side-band-64k"), /lacks "shallow"/],
    ["no side band in an old protocol", oldAdvertisement("shallow"), /lacks "side-band-64k"/],
  ])("does not suffice with %s, and says so", (_name, body, message) => {
    expect(() => readAbilities(body, place)).toThrow(message);
    expect(() => readAbilities(body, place)).toThrow(expect.objectContaining({ code: "git-unsupported" }));
  });

  it.each([["nothing"], ["words", "hello"], ["a refusal", "ERR access denied"]])(
    "is no matter with %s",
    (_name, ...lines) => {
      const body = Buffer.concat(lines.map((line) => packet(`${line}\n`)));
      expect(() => readAbilities(body, place)).toThrow(expect.objectContaining({ code: "git-protocol" }));
    },
  );
});

describe("a question of the old protocols", () => {
  const abilities = readAbilities(oldAdvertisement("shallow side-band-64k ofs-delta filter multi_ack"), place);
  const [a, b, c] = ["a", "b", "c"].map((digit) => digit.repeat(40)) as [string, string, string];
  const said = (request: FetchRequest): string[] =>
    Array.from(readPackets(oldFetchBody(request, abilities)), (part) =>
      part.kind === "data" ? lineOf(part.data) : part.kind,
    );

  it("names what it wants and has, with words that the server knows", () => {
    expect(said({ wants: [a, b], haves: [c], shallow: [c], depth: 51, thin: true })).toEqual([
      `want ${a} side-band-64k ofs-delta agent=gitspan`,
      `want ${b}`,
      `shallow ${c}`,
      "deepen 51",
      "flush",
      `have ${c}`,
      "done",
    ]);
  });

  it("can leave out what hangs below, and can only ask what is known", () => {
    expect(said({ wants: [a], filter: "tree:0", depth: 1 })).toEqual([
      `want ${a} side-band-64k ofs-delta agent=gitspan filter`,
      "deepen 1",
      "filter tree:0",
      "flush",
      "done",
    ]);
    expect(said({ wants: [a], haves: [b], negotiate: "ask" }).slice(-2)).toEqual([`have ${b}`, "flush"]);
  });
});

describe("an answer of the old protocols", () => {
  const pack = (data: string): Buffer => packet(`\u0001${data}`);
  const shallow = "d".repeat(40);

  it("falls into its lines and its pack", () => {
    const lines = [packet(`shallow ${shallow}\n`), FLUSH, packet("NAK\n"), packet("\u0002working\n")];
    const body = Buffer.concat([...lines, pack("PA"), pack("CK"), FLUSH]);
    expect(readOldFetchAnswer(body)).toEqual({ pack: Buffer.from("PACK"), shallow: [shallow], common: false });
    const outcome = (length: number): unknown => {
      try {
        return readOldFetchAnswer(body.subarray(0, length)).pack.length;
      } catch (error) {
        return (error as { code?: string }).code;
      }
    };
    // Between the lines and the pack nothing shows that more would have come; there is no pack then.
    const silent = 53 + 4 + 8;
    const outcomes = Array.from({ length: body.length }, (_, length) => outcome(length));
    expect(outcomes).toEqual(outcomes.map((_, length) => (length === silent ? 0 : "git-protocol")));
  });

  it("may only say what is known", () => {
    expect(readOldFetchAnswer(packet(`ACK ${shallow}\n`)).common).toBe(true);
    expect(readOldFetchAnswer(packet("NAK\n")).common).toBe(false);
  });

  it.each([`upload-pack: not our ref ${shallow}`, `want ${shallow} not valid`])("may refuse: %s", (words) => {
    for (const read of [readFetchAnswer, readOldFetchAnswer]) {
      expect(() => read(packet(`ERR ${words}`))).toThrow(RefusedWant);
    }
    expect(() => readOldFetchAnswer(packet("\u0003out of memory\n"))).toThrow("the Git server says: out of memory");
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
    [407, "git-auth", false],
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
