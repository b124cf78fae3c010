import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import type { Digest } from "../../src/model/image.ts";
import type { TrustDecision } from "../../src/model/trust.ts";
import { RegistryTrust } from "../../src/trust/trust.ts";
import { ImageRegistry } from "../fakes/image-registry.ts";
import { aPolicy } from "./policy.ts";

interface Keyless {
  repository: string;
  digest: Digest;
  content: string;
  source: { repository: string; commit: string };
  run: string;
  identity: { issuer: string; subject: string };
  signedAt: string;
  trustedRoot: Record<string, unknown>;
  signature: { payload: string; annotations: Record<string, string> };
  attestation: { envelope: unknown; annotations: Record<string, string> };
  bundle: { verificationMaterial: { tlogEntries: Record<string, unknown>[] }; dsseEnvelope: { payload: string } };
}

const golden = JSON.parse(readFileSync(new URL("../golden/trust/keyless.json", import.meta.url), "utf8")) as Keyless;
const LOG_ENTRY = "dev.sigstore.cosign/bundle";
const SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json";
const DSSE = "application/vnd.dsse.envelope.v1+json";
const signal = AbortSignal.timeout(60_000);

let registry: ImageRegistry;
beforeEach(async () => {
  registry = await ImageRegistry.start(golden.repository);
  if (registry.push("1.0", golden.content) !== golden.digest) throw new Error("the recording is of another image");
});
afterEach(async () => registry.close());

interface Told {
  identity?: { issuer: string; subject: string };
  root?: unknown;
  now?: number;
}

/** A year later, unless it is said otherwise: the certificate has ended long ago. */
async function decide({
  identity = golden.identity,
  root = golden.trustedRoot,
  now,
}: Told = {}): Promise<TrustDecision> {
  const trust = new RegistryTrust(
    { clock: systemAmbient.clock, readFile: async () => JSON.stringify(root), counted: () => undefined },
    [{ host: "registry.example.com", address: registry.server.address, mirrors: [], tokenHosts: [] }],
  );
  try {
    const { repository, digest, source, run } = golden;
    const policy = aPolicy({ keyFiles: [], keyless: { identities: [identity], trustedRootFile: "root.json" } });
    const at = now ?? Date.parse(golden.signedAt) + 365 * 86_400_000;
    return await trust.decide({ image: { repository, digest }, policy, source, run: { uid: run }, now: at }, signal);
  } finally {
    trust.close();
  }
}

/** As older cosign and Tekton Chains leave it. */
function inTags(change: (annotations: Record<string, string>) => Record<string, string> = (same) => same): void {
  const { signature, attestation } = golden;
  const payload = Buffer.from(signature.payload);
  registry.addLayer(golden.digest, ".sig", {
    mediaType: SIMPLE_SIGNING,
    bytes: payload,
    annotations: change(signature.annotations),
  });
  const bytes = Buffer.from(JSON.stringify(attestation.envelope));
  registry.addLayer(golden.digest, ".att", { mediaType: DSSE, bytes, annotations: change(attestation.annotations) });
}

function asBundle(change: (bundle: Keyless["bundle"]) => void = () => undefined): void {
  inTags();
  registry.put(`${golden.digest.replace(":", "-")}.att`, Buffer.from('{"layers":[]}'));
  const bundle = structuredClone(golden.bundle);
  change(bundle);
  registry.attach(golden.digest, bundle);
}

describe("an image that an identity signed", () => {
  it("is proven by the log's entries, long after the certificate has ended", async () => {
    inTags();
    expect(await decide()).toMatchObject({
      proven: true,
      signers: ["identity release@example.com (https://accounts.example.com)"],
    });
  });

  it("is proven by a Sigstore bundle", async () => {
    asBundle();
    expect(await decide()).toMatchObject({ proven: true });
  });

  it.each([
    ["of another name", { ...golden.identity, subject: "somebody@example.com" }],
    ["by another issuer", { ...golden.identity, issuer: "https://evil.example.com" }],
    ["whose name only begins so", { ...golden.identity, subject: "release@example" }],
  ])("is not proven when somebody %s is trusted", async (_what, identity) => {
    inTags();
    const { proven, message } = await decide({ identity });
    expect(message).toContain("identity release@example.com (https://accounts.example.com), who is not trusted");
    expect(proven).toBe(false);
  });

  it("is proven where a pattern covers the name", async () => {
    inTags();
    expect(await decide({ identity: { ...golden.identity, subject: "*@example.com" } })).toMatchObject({
      proven: true,
    });
  });

  it.each(["tlogs", "ctlogs", "certificateAuthorities"])("is not proven by a root with other %s", async (part) => {
    inTags();
    const own = structuredClone(golden.trustedRoot);
    const [entry] = own[part] as Record<string, Record<string, string>>[];
    // The key of somebody else in each of them; for a certificate authority, one that had ended before.
    const stranger =
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEN53NdulJCe3jTYSuJntKvhT4HsnOnCzlPK1nLKRekJoZs9D3xDZcdPJcifbbY66mVNIB1jpSHkGuuUAb6LBIpw==";
    if (part === "certificateAuthorities")
      entry!["validFor"] = { start: "2020-01-01T00:00:00Z", end: "2021-01-01T00:00:00Z" };
    else entry!["publicKey"]!["rawBytes"] = stranger;
    expect(await decide({ root: own })).toMatchObject({ proven: false });
  });

  it("is not proven without its entries in the log, however fresh it is", async () => {
    inTags(({ [LOG_ENTRY]: _entry, ...rest }) => rest);
    expect(await decide({ now: Date.parse(golden.signedAt) + 60_000 })).toMatchObject({ proven: false });
  });

  it("is not proven when the log's entry is that of another signature", async () => {
    const other = golden.signature.annotations[LOG_ENTRY]!;
    inTags((annotations) => ({ ...annotations, [LOG_ENTRY]: other }));
    const { evidence } = await decide();
    expect(evidence.map(({ what, counts }) => [what, counts])).toEqual([
      ["signature", true],
      ["provenance", false],
    ]);
  });

  it.each([
    [
      "a payload that was changed",
      (bundle: Keyless["bundle"]) => {
        const text = Buffer.from(bundle.dsseEnvelope.payload, "base64").toString().replace("ccc", "ddd");
        bundle.dsseEnvelope.payload = Buffer.from(text).toString("base64");
      },
    ],
    ["another time in its entry", (bundle: Keyless["bundle"]) => edit(bundle, { integratedTime: "1795000000" })],
    ["no entry", (bundle: Keyless["bundle"]) => void (bundle.verificationMaterial.tlogEntries = [])],
    ["an entry without proof", (bundle: Keyless["bundle"]) => edit(bundle, { inclusionProof: undefined })],
    [
      "one entry twice",
      (bundle: Keyless["bundle"]) =>
        void bundle.verificationMaterial.tlogEntries.push(...structuredClone(entriesOf(bundle))),
    ],
  ])("is not proven by a bundle with %s", async (_what, change) => {
    asBundle(change);
    const { evidence, proven } = await decide();
    expect(evidence.some(({ what, counts }) => what === "provenance" && counts)).toBe(false);
    expect(proven).toBe(false);
  });

  it.each([
    ["no JSON", "<html>"],
    ["something else", { tlogs: [] }],
  ])("cannot be judged by a root that is %s", async (_what, root) => {
    inTags();
    await expect(decide({ root })).rejects.toMatchObject({
      code: "config-invalid",
      message: "root.json does not hold Sigstore's trusted root (trusted_root.json)",
    });
  });
});

function entriesOf(bundle: Keyless["bundle"]): Record<string, unknown>[] {
  return bundle.verificationMaterial.tlogEntries;
}

function edit(bundle: Keyless["bundle"], change: Record<string, unknown>): void {
  bundle.verificationMaterial.tlogEntries = entriesOf(bundle).map((entry) => ({ ...entry, ...change }));
}
