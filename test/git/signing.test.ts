import { createHash, createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parseCommit, serializeCommit } from "../../src/git/commit.ts";
import { field, publicBlobOf, readSigningKey } from "../../src/git/openssh-key.ts";
import { sshSignature } from "../../src/git/ssh-signature.ts";
import { newSshKey } from "../fakes/git-ssh-server.ts";

const { privateKey } = generateKeyPairSync("ed25519");
const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
const who = { name: "gitspan", email: "gitspan@example.com" };
const commit = { tree: "a".repeat(40), parent: "b".repeat(40), message: "m", author: who, committer: who, time: 1000 };

describe("a key that signs commits", () => {
  it("is read as ssh-keygen writes it, and as PKCS#8", () => {
    const pair = newSshKey();
    expect(publicBlobOf(readSigningKey(pair.privateKey)).toString("base64")).toBe(pair.publicKey.split(" ")[1]);
    expect(publicBlobOf(readSigningKey(pem))).toEqual(publicBlobOf(privateKey));
  });

  it.each([
    ["locked", newSshKey("ed25519", "open sesame").privateKey, /locked by a passphrase/],
    ["ECDSA in OpenSSH's form", newSshKey("ecdsa").privateKey, /no ed25519 key/],
    [
      "RSA as PKCS#8",
      generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" }),
      /no ed25519 key/,
    ],
    ["cut off", newSshKey().privateKey.replace(/\n.*\n.*\n(?=-----END)/, "\n"), /damaged/],
    ["none at all", "hunter2", /no ed25519 key/],
  ])("is refused when it is %s, and not shown", (_what, text, why) => {
    const read = (): unknown => readSigningKey(String(text));
    expect(read).toThrow(expect.objectContaining({ code: "git-unsupported", message: expect.stringMatching(why) }));
    expect(read).not.toThrow(/hunter2|BEGIN/);
  });
});

describe("a signed commit", () => {
  const sign = (bytes: Uint8Array): string => sshSignature(privateKey, bytes);

  it("carries a signature of itself without the signature", () => {
    const signed = serializeCommit(commit, sign).toString();
    const armour = signed.slice(signed.indexOf("gpgsig ") + 7, signed.indexOf("\n\n")).replaceAll("\n ", "\n");
    const blob = Buffer.from(armour.replaceAll(/-----.*-----|\n/g, ""), "base64");
    expect(blob.toString("latin1", 0, 10)).toBe("SSHSIG\0\0\0\x01");
    const digest = blob.subarray(-64);
    const message = createHash("sha512").update(serializeCommit(commit)).digest();
    const said = Buffer.concat([Buffer.from("SSHSIG"), field("git"), field(""), field("sha512"), field(message)]);
    expect(verify(null, said, createPublicKey(privateKey), digest)).toBe(true);
  });

  it("reads as the same commit, and is the same every time", () => {
    const signed = serializeCommit(commit, sign);
    expect(parseCommit("c".repeat(40), signed)).toEqual(parseCommit("c".repeat(40), serializeCommit(commit)));
    expect(serializeCommit(commit, sign)).toEqual(signed);
    expect(
      Math.max(
        ...signed
          .toString()
          .split("\n")
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(72);
  });
});
