import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { fingerprintOf, keyTypeOf, pinnedHost } from "../../src/git/known-hosts.ts";

/** A key as it goes over the wire: its type, then anything. */
function blobOf(seed: string, type = "ssh-ed25519"): Buffer {
  const field = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  return Buffer.concat([field(Buffer.from(type)), field(Buffer.from(seed.padEnd(32, ".")))]);
}
const line = (hosts: string, seed: string): string =>
  `${hosts} ssh-ed25519 ${blobOf(seed).toString("base64")} a comment\n`;
const trusted = (text: string, host = "git.example.com", port = 22): Buffer[] => pinnedHost(text, host, port).trusted;

describe("known_hosts", () => {
  it("pins the keys of a host by its name, whatever its case, and no others", () => {
    const text = `# a comment\n\n${line("git.example.com,10.0.0.1", "one")}${line("other.example.com", "two")}`;
    expect(trusted(text, "Git.Example.com")).toEqual([blobOf("one")]);
    expect(trusted(text, "10.0.0.1")).toEqual([blobOf("one")]);
    expect(trusted(text, "evil.example.com")).toEqual([]);
    expect(trusted(text, "git.example.com.evil.net")).toEqual([]);
  });

  it("keeps every key that a host has", () => {
    const rsa = `git.example.com ssh-rsa ${blobOf("r", "ssh-rsa").toString("base64")}\n`;
    expect(trusted(line("git.example.com", "one") + rsa).map(keyTypeOf)).toEqual(["ssh-ed25519", "ssh-rsa"]);
  });

  it("wants a line of its own for another port", () => {
    const text = line("git.example.com", "one") + line("[git.example.com]:2222", "two");
    expect(trusted(text)).toEqual([blobOf("one")]);
    expect(trusted(text, "git.example.com", 2222)).toEqual([blobOf("two")]);
    expect(trusted(text, "git.example.com", 2223)).toEqual([]);
  });

  it("understands patterns, and that one of them takes a host out", () => {
    const text = line("*.example.com,!build?.example.com", "one");
    expect(trusted(text)).toEqual([blobOf("one")]);
    expect(trusted(text, "build1.example.com")).toEqual([]);
    expect(trusted(text, "example.com")).toEqual([]);
    expect(trusted(line("gitXexample.com", "one"))).toEqual([]);
  });

  it("finds hashed names", () => {
    const salt = Buffer.from("0123456789abcdefghij");
    const hash = createHmac("sha1", salt).update("[git.example.com]:2222").digest("base64");
    const text = line(`|1|${salt.toString("base64")}|${hash}`, "one");
    expect(trusted(text, "git.example.com", 2222)).toEqual([blobOf("one")]);
    expect(trusted(text)).toEqual([]);
    expect(trusted(line("|1|short", "one"))).toEqual([]);
  });

  it("knows what is revoked, and trusts no authority to name keys", () => {
    const text = `@revoked ${line("git.example.com", "gone")}@cert-authority ${line("*", "authority")}`;
    expect(pinnedHost(text, "git.example.com", 22)).toEqual({ trusted: [], revoked: [blobOf("gone")] });
  });

  it("pins nothing by a line whose key is not of the type that it names", () => {
    const text = `git.example.com ssh-rsa ${blobOf("one").toString("base64")}\ngit.example.com ssh-ed25519 AAAA\ngit.example.com\n`;
    expect(trusted(text)).toEqual([]);
  });

  it("shows keys as ssh-keygen does", () => {
    expect(fingerprintOf(Buffer.from("x"))).toBe("SHA256:LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE");
  });
});
