import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import type { TrustDecision, TrustPolicy } from "../../src/model/trust.ts";
import { RegistryTrust } from "../../src/trust/trust.ts";
import { RegistryServer } from "../fakes/registry-server.ts";
import { aPolicy } from "./policy.ts";
import { RECORDINGS, type Recording, recordedAnswer, recordingOf } from "./recordings.ts";

const signal = AbortSignal.timeout(120_000);
/** After the recordings were made, before any of their certificates but the expired one ends. */
const NOW = Date.parse("2026-11-25T12:00:00Z");

let server: RegistryServer;
beforeAll(async () => {
  server = await RegistryServer.start(() => undefined);
});
afterAll(async () => server.close());

async function decisionOn(recording: Recording, over: Partial<TrustPolicy> = {}, now = NOW): Promise<TrustDecision> {
  server.respond = ({ url }) => recordedAnswer(recording, url);
  server.asked.length = 0;
  const { identity, trustedKey = "", trustedCa } = recording;
  const policy = aPolicy({
    builders: [recording.builder],
    ...(trustedCa === undefined || identity === undefined
      ? {}
      : { keyFiles: [], keyless: { identities: [identity], caFile: "ca.pem" } }),
    ...over,
  });
  const trust = new RegistryTrust(
    {
      clock: systemAmbient.clock,
      readFile: async (file) => (file === "ca.pem" ? (trustedCa ?? "") : trustedKey),
      counted: () => undefined,
    },
    [{ host: recording.image.split("/")[0]!, address: server.address, mirrors: [], tokenHosts: [] }],
  );
  const { image, digest, source, run } = recording;
  try {
    const question = { image: { repository: image, digest }, policy, source, now, ...(run && { run }) };
    return await trust.decide(question, signal);
  } finally {
    trust.close();
  }
}

describe("the recorded images get the decision that they should get", () => {
  it.each(RECORDINGS.map((one) => [one.variant, one] as const))("%s", async (_variant, recording) => {
    const decision = await decisionOn(recording);
    expect(decision, decision.message).toMatchObject({ proven: recording.accept });
  });

  it("all of them", () => {
    expect(RECORDINGS.filter(({ accept }) => accept)).toHaveLength(13);
    expect(RECORDINGS.filter(({ accept }) => !accept)).toHaveLength(25);
  });
});

const NO_KEY = "not by who is trusted: no trusted key made its signature";
const OTHER_IMAGE = "it is of another image";

/** What is missing, and the reason. */
const REFUSALS: Record<string, unknown> = {
  "neg-unsigned": "there is no signature; there is no provenance",
  "neg-missing-att": "there is no provenance",
  "neg-missing-sig": "there is no signature",
  "neg-blob-digest-mismatch": expect.stringMatching(/^there is no provenance \(.*gives other bytes than sha256:/),
  "neg-bundle-other-key": both(NO_KEY),
  "neg-bundle-registry-lies": expect.stringMatching(
    /^there is no signature \(.*it is about another image.*no provenance.*about another image\)$/,
  ),
  "neg-bundle-replayed": both(OTHER_IMAGE),
  "neg-bundle-tampered": both(NO_KEY),
  "neg-cert-expired": both("not by who is trusted: Failed to verify certificate chain"),
  "neg-cert-other-identity": both(
    "not by who is trusted: it was signed by identity ci@example.com (https://issuer.example.com), who is not trusted",
  ),
  "neg-cert-untrusted-ca": both("not by who is trusted: Failed to verify certificate chain"),
  "neg-crossed-subjects": provenance(OTHER_IMAGE),
  "neg-keyid-confusion": provenance(NO_KEY),
  "neg-no-signatures": provenance("not by who is trusted: it has no signature"),
  "neg-not-json": expect.stringMatching(/^there is no provenance \(.*it is no DSSE envelope\)$/),
  "neg-other-builder": provenance("the builder is https://builder.example.com/not-ours"),
  "neg-other-key": both(NO_KEY),
  "neg-other-source": expect.stringMatching(
    /^no provenance counts: the source is https:\/\/git.example.com\/\S+@[0-9a-f]{40}$/,
  ),
  "neg-replayed-attestation": both(OTHER_IMAGE),
  "neg-sig-annotation-missing": expect.stringMatching(/^there is no signature \(.*it has no signature\)$/),
  "neg-tampered-payload": provenance(NO_KEY),
  "neg-tampered-sig-payload": `no signature counts: ${NO_KEY}`,
  "neg-wrong-payload-type": expect.stringMatching(/^there is no provenance \(.*its payload is text\/plain\)$/),
  "neg-wrong-predicate-type": expect.stringMatching(
    /^there is no provenance \(.*cyclonedx.org\/bom, no SLSA provenance\)$/,
  ),
  "neg-wrong-subject-name": both(OTHER_IMAGE),
};

function provenance(why: string): string {
  return `no provenance counts: ${why}`;
}

function both(why: string): string {
  return `no signature counts: ${why}; no provenance counts: ${why}`;
}

describe("a refusal says what is wrong", () => {
  it.each(RECORDINGS.filter(({ accept }) => !accept))("$variant: $reason", async (recording) => {
    expect((await decisionOn(recording)).message).toEqual(REFUSALS[recording.variant]);
  });
});

describe("a certificate of one's own authority", () => {
  it.each(["2020-01-01T00:00:00Z", "2060-01-01T00:00:00Z"])(
    "does not count at %s, when it is not valid",
    async (now) => {
      const decision = await decisionOn(recordingOf("cert-valid"), {}, Date.parse(now));
      expect(decision).toMatchObject({ proven: false, message: expect.stringContaining("not by who is trusted") });
    },
  );
});

describe("what else the policy asks for", () => {
  const recording = recordingOf("cosign-ecdsa-v2alpha4");
  const taskOnly = recordingOf("x509-slsav1");

  it("refuses provenance of another run, although the image is the same", async () => {
    const decision = await decisionOn({ ...recording, run: { uid: "another-run", taskUids: [] } });
    expect(decision.message).toMatch(/^no provenance counts: it is of run [0-9a-f-]{36}$/);
  });

  it("takes provenance of another run where the policy does not bind it to the run", async () => {
    const other = { ...recording, run: { uid: "another-run", taskUids: [] } };
    expect(await decisionOn(other, { matchRun: false })).toMatchObject({ proven: true });
  });

  it("refuses another commit of the same repository", async () => {
    const source = { ...recording.source, commit: "0".repeat(40) };
    const decision = await decisionOn({ ...recording, source });
    expect(decision.message).toContain(`the source is ${recording.source.repository}@${recording.source.commit}`);
  });

  it("refuses the same commit of another repository", async () => {
    const source = { ...recording.source, repository: "https://git.example.com/evil/web.git" };
    expect(await decisionOn({ ...recording, source })).toMatchObject({ proven: false });
  });

  it("refuses another build type", async () => {
    const decision = await decisionOn(recording, { buildTypes: ["https://example.com/*"] });
    expect(decision.message).toBe("no provenance counts: the build type is https://tekton.dev/chains/v2/slsa");
  });

  it("refuses a build that finished too long ago", async () => {
    const decision = await decisionOn(recording, { maxAgeMs: 3_600_000 });
    expect(decision.message).toBe("no provenance counts: it is too old: the build finished 2026-11-22T18:47:50.000Z");
  });

  it("takes the TaskRun's provenance, which names no source, for the run that it belongs to", async () => {
    const own = await decisionOn(taskOnly, { provenance: "taskrun" });
    expect(own).toMatchObject({ proven: true });
    expect(own.evidence.filter(({ what, counts }) => what === "provenance" && counts)).toHaveLength(2);
  });

  it("knows a TaskRun's provenance of SLSA 1.0 by the uid of the TaskRun alone", async () => {
    const run = { uid: "not-named-there", taskUids: recording.run!.taskUids };
    const decision = await decisionOn({ ...recording, run }, { provenance: "taskrun" });
    expect(decision.message).toContain("taskrun of https://tekton.dev/chains/v2");
  });

  it("needs no signature of the image where only provenance is asked for, and the other way round", async () => {
    expect(await decisionOn(recordingOf("neg-missing-sig"), { signature: false })).toMatchObject({ proven: true });
    expect(await decisionOn(recordingOf("neg-missing-att"), { provenance: "none" })).toMatchObject({ proven: true });
  });

  it("takes a signature by the new key or the old one while both are pinned", async () => {
    const both = `${recordingOf("x509-slsav1").trustedKey}${recording.trustedKey}`;
    expect(await decisionOn({ ...recording, trustedKey: both })).toMatchObject({ proven: true });
    expect(await decisionOn({ ...taskOnly, trustedKey: both })).toMatchObject({ proven: true });
  });
});
