import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import type { Digest } from "../../src/model/image.ts";
import { MAX_EVIDENCE, type TrustDecision } from "../../src/model/trust.ts";
import { RegistryTrust } from "../../src/trust/trust.ts";
import { ImageRegistry, type SigningKey, signingKey } from "../fakes/image-registry.ts";
import { aPolicy } from "./policy.ts";

const REPOSITORY = "registry.example.com/shop/checkout";
const DSSE = "application/vnd.dsse.envelope.v1+json";
const source = { repository: "https://git.example.com/shop/checkout.git", commit: "c".repeat(40) };
const signal = AbortSignal.timeout(60_000);

let registry: ImageRegistry;
let key: SigningKey;
let digest: Digest;
beforeEach(async () => {
  registry = await ImageRegistry.start(REPOSITORY);
  key = signingKey();
  digest = registry.push("1.0", "first");
  registry.sign(digest, key);
});
afterEach(async () => registry.close());

async function decide(): Promise<TrustDecision> {
  const trust = new RegistryTrust(
    { clock: systemAmbient.clock, readFile: async () => key.publicKey, counted: () => undefined },
    [{ host: "registry.example.com", address: registry.server.address, mirrors: [], tokenHosts: [] }],
  );
  try {
    const now = Date.parse("2026-02-01T12:00:00Z");
    const question = {
      image: { repository: REPOSITORY, digest },
      policy: aPolicy(),
      source,
      run: { uid: "run-1" },
      now,
    };
    return await trust.decide(question, signal);
  } finally {
    trust.close();
  }
}

const attachment = (bytes: Buffer, size?: number): void =>
  registry.addLayer(digest, ".att", { mediaType: DSSE, bytes, ...(size === undefined ? {} : { size }) });
const attested = (): void => registry.attest(digest, key, { source, run: "run-1" });
const tag = (suffix: string): string => `${digest.replace(":", "-")}${suffix}`;
const askedForBlobs = (): number => registry.server.asked.filter(({ url }) => url.includes("/blobs/")).length;

function many<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}

/** A statement of ours with one thing that is different. */
function statement(over: Record<string, unknown>): Record<string, unknown> {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: REPOSITORY, digest: { sha256: digest.slice(7) } }],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {},
    ...over,
  };
}

describe("what lies beside an image and is broken", () => {
  const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;

  it.each([
    ["no JSON", Buffer.from("not json"), "it is no DSSE envelope"],
    ["empty", Buffer.alloc(0), "it is no DSSE envelope"],
    ["a list", Buffer.from("[]"), "it is no DSSE envelope"],
    ["deeper than anybody reads", Buffer.from(deep), "it is no DSSE envelope"],
    [
      "signed a thousand times",
      Buffer.from(JSON.stringify({ payloadType: "x", payload: "", signatures: many(1_000, { sig: "" }) })),
      "it is no DSSE envelope",
    ],
  ])("an attestation that is %s is passed over, and the good one beside it counts", async (_what, bytes, says) => {
    attachment(bytes);
    expect((await decide()).message).toContain(says);
    attested();
    const decision = await decide();
    expect(decision).toMatchObject({ proven: true });
    expect(decision.evidence.some((one) => one.says === says)).toBe(true);
  });

  it("an attestation that is too large is not even fetched", async () => {
    attachment(Buffer.from("{}"), 5 * 1024 * 1024);
    expect((await decide()).message).toContain("it is larger than 4194304 bytes");
    expect(askedForBlobs()).toBe(1);
  });

  it("one that is larger than it is said to be is not read to its end", async () => {
    attachment(Buffer.alloc(5 * 1024 * 1024), 100);
    expect((await decide()).message).toContain("answers more than 100 bytes");
  });

  it("a flood of them is not read to its end", async () => {
    for (let i = 0; i < 100; i++) attachment(Buffer.from(JSON.stringify({ i })));
    const { proven, evidence } = await decide();
    expect(proven).toBe(false);
    expect(askedForBlobs()).toBeLessThanOrEqual(64);
    expect(evidence.length).toBeLessThanOrEqual(MAX_EVIDENCE);
  });

  it("a tag that holds no manifest", async () => {
    registry.put(tag(".att"), Buffer.from("<html>"));
    expect((await decide()).message).toBe(`there is no provenance (${tag(".att")}: it is no manifest)`);
  });

  it("a list of referrers that is none", async () => {
    registry.put(tag(""), Buffer.from("[]"));
    expect((await decide()).message).toBe("there is no provenance (referrers: it is no index)");
  });

  it("a bundle that is said to be of this image and is of another one", async () => {
    const other = registry.push("2.0", "second");
    registry.attach(digest, { mediaType: "x" }, other);
    expect((await decide()).message).toContain("it is about another image");
  });

  it("a bundle that is none", async () => {
    registry.attach(digest, { mediaType: "x" });
    expect((await decide()).message).toContain("it is no Sigstore bundle with a DSSE envelope");
  });

  it("a layer of some other kind is none of ours", async () => {
    registry.addLayer(digest, ".att", { mediaType: "text/plain", bytes: Buffer.from("hello") });
    expect((await decide()).message).toBe("there is no provenance");
  });
});

describe("a signature by somebody who is trusted", () => {
  it("of another image of the same repository does not count", async () => {
    const signed = digest;
    digest = registry.push("2.0", "second");
    registry.sign(digest, key, signed);
    attested();
    expect((await decide()).message).toBe("no signature counts: it is of another image");
  });
});

describe("a statement by somebody who is trusted", () => {
  it.each([
    ["of no known type", { _type: "https://in-toto.io/Statement/v9" }, "it is no in-toto statement"],
    ["of nothing", { subject: [] }, "it is of another image"],
    ["of too many things", { subject: many(1_001, { name: "x" }) }, "it is no in-toto statement"],
    ["whose subject has a name and no digest", { subject: [{ name: REPOSITORY }] }, "it is of another image"],
    ["that is not what its type says", { predicate: { builder: { id: 1 } } }, "it is not what its predicate type says"],
    ["in another version", { predicateType: "https://slsa.dev/provenance/v9" }, "no SLSA provenance"],
  ])("%s does not count", async (_what, over, says) => {
    registry.envelope(digest, key, statement(over));
    expect((await decide()).message).toContain(says);
  });

  const predicate = (name: string | undefined) => ({
    buildDefinition: {
      buildType: "https://tekton.dev/chains/v2/slsa",
      externalParameters: { runSpec: { pipelineRef: {} } },
      resolvedDependencies: [{ uri: `git+${source.repository}`, digest: { sha1: source.commit }, name }],
    },
    runDetails: { builder: { id: "https://tekton.dev/chains/v2" }, metadata: { invocationId: "run-1" } },
  });

  it("whose subject has the digest and no name does not count as provenance", async () => {
    const subject = [{ digest: { sha256: digest.slice(7) } }];
    registry.envelope(digest, key, statement({ subject, predicate: predicate(undefined) }));
    expect((await decide()).message).toBe("no provenance counts: it is of another image");
  });

  it("whose sources are only where the pipeline came from does not count", async () => {
    for (const name of ["pipeline", "pipelineTask", "task"]) {
      registry.envelope(digest, key, statement({ predicate: predicate(name) }));
    }
    expect((await decide()).message).toBe("no provenance counts: it names no source");
    registry.envelope(digest, key, statement({ predicate: predicate(undefined) }));
    expect(await decide()).toMatchObject({ proven: true });
  });
});

describe("a registry that has no referrers", () => {
  it.each([400, 404, 405, 501])("and says so with %i is asked for the tag that stands for them", async (status) => {
    const answer = registry.server.respond;
    registry.server.respond = (request) => (request.url.includes("/referrers/") ? { status } : answer(request));
    registry.attach(digest, { mediaType: "x" });
    expect((await decide()).message).toContain("it is no Sigstore bundle");
  });

  it("and does not answer now may have some: that is no decision", async () => {
    const answer = registry.server.respond;
    registry.server.respond = (request) => (request.url.includes("/referrers/") ? { status: 503 } : answer(request));
    await expect(decide()).rejects.toMatchObject({ code: "registry-unreachable", transient: true });
  });
});

describe("a registry with what is signed", () => {
  it("is asked once by all targets of a build, and again after a moment", async () => {
    attested();
    let now = 1_000_000;
    const clock = { now: () => now, sleep: systemAmbient.clock.sleep };
    const counted: string[] = [];
    const trust = new RegistryTrust(
      { clock, readFile: async () => key.publicKey, counted: (result) => void counted.push(result) },
      [{ host: "registry.example.com", address: registry.server.address, mirrors: [], tokenHosts: [] }],
    );
    const question = { image: { repository: REPOSITORY, digest }, policy: aPolicy(), source, run: { uid: "run-1" } };
    const ask = async () => await trust.decide({ ...question, now: Date.parse("2026-02-01T12:00:00Z") }, signal);
    const decisions = await Promise.all(Array.from({ length: 20 }, ask));
    expect(decisions.every(({ proven }) => proven)).toBe(true);
    // .sig, .att, referrers, the tag that stands for them, and the two blobs.
    expect(counted.toSorted()).toEqual(["absent", "absent", "found", "found", "found", "found"]);
    now += 1_000;
    await ask();
    expect(counted).toHaveLength(6);
    now += 1_000;
    await ask();
    // The blobs are known by their digests.
    expect(counted).toHaveLength(10);
    trust.close();
  });
});
