import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ImageRegistry, type SigningKey, signingKey } from "../fakes/image-registry.ts";
import { RegistryServer } from "../fakes/registry-server.ts";
import { DELIVERY_ID } from "../http/fake-ports.ts";
import { recordedAnswer, recordingOf } from "../trust/recordings.ts";
import { runCli, startServer } from "./run-cli.ts";

const chains = recordingOf("cosign-ecdsa-v2alpha4");
const CHAINS_IMAGE = `${chains.image}@${chains.digest}`;

let folder: string;
let server: RegistryServer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gitspan-verify-"));
  server = await RegistryServer.start(({ url }) => recordedAnswer(chains, url));
  file("cosign.pub", chains.trustedKey!);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const verify = async (image: string, ...args: string[]) =>
  await runCli(["verify", image, "--registry-url", server.address, ...args]);
const key = () => join(folder, "cosign.pub");
const source = ["--source-repository", chains.source.repository, "--source-commit", chains.source.commit];

describe("gitspan verify", () => {
  it("shows by what an image is proven", async () => {
    const { code, stdout, stderr } = await verify(CHAINS_IMAGE, "--key", key(), ...source, "--run", chains.run!.uid);
    expect(stderr).toMatch(/^proven: signature by key sha256:[0-9a-f]{16}: of this image; provenance by key sha256:/);
    expect(stdout.split("\n")[0]).toMatch(/^DOCUMENT +COUNTS +SIGNER +SAYS +WHERE$/);
    expect(stdout).toMatch(
      /^signature +yes +key sha256:[0-9a-f]{16} +of this image +sha256-[0-9a-f]{64}\.sig sha256:/m,
    );
    expect(stdout).toMatch(/^provenance +no +key sha256:[0-9a-f]{16} +it is of a TaskRun, not of the PipelineRun/m);
    expect(code).toBe(0);
  });

  it("exits with 4 when it is not, and says what is missing", async () => {
    const { code, stderr } = await verify(CHAINS_IMAGE, "--key", key(), ...source.slice(0, 3), "0".repeat(40));
    expect(stderr).toBe(
      `not proven: no provenance counts: the source is ${chains.source.repository}@${chains.source.commit}\n`,
    );
    expect(code).toBe(4);
  });

  it.each([
    ["of another run", ["--run", "another"], "it is of run "],
    ["of another builder", ["--builder", "https://example.com/*"], "the builder is https://tekton.dev/chains/v2"],
    ["of another type", ["--build-type", "other"], "the build type is https://tekton.dev/chains/v2/slsa"],
    ["too long ago", ["--max-age", "1s"], "it is too old"],
  ])("refuses an image that was built %s", async (_what, args, says) => {
    const { code, stderr } = await verify(CHAINS_IMAGE, "--key", key(), ...args);
    expect(stderr).toContain(says);
    expect(code).toBe(4);
  });

  it("takes what a tag names now, and prints the digest", async () => {
    const { code, stdout } = await verify(`${chains.image}:${chains.tag}`, "--key", key(), "-o", "json");
    const answer = JSON.parse(stdout) as Record<string, unknown>;
    expect(answer).toMatchObject({
      image: `${chains.image}:${chains.tag}@${chains.digest}`,
      proven: true,
      signers: [expect.stringMatching(/^key sha256:/)],
    });
    expect(code).toBe(0);
  });

  it("judges as an environment of a configuration does", async () => {
    const config = file(
      "gitspan.yaml",
      `
apiVersion: gitspan.dev/v1alpha1
kind: Bridge
database: {urlEnv: DATABASE_URL}
repositories: {gitops: {url: https://git.example.com/gitops}}
registries: {"${chains.image.split("/")[0]}": {url: "${server.address}"}}
environments: {dev: {}, staging: {trust: {maxAge: 1s}}, prod: {}}
trust: {cosignKeyFiles: [cosign.pub], require: [staging, prod]}
`,
    );
    const inEnvironment = async (...args: string[]) => await runCli(["verify", CHAINS_IMAGE, "-c", config, ...args]);
    expect((await inEnvironment("--environment", "prod")).code).toBe(0);
    expect(await inEnvironment("--environment", "staging")).toMatchObject({ code: 4 });
    const unclear = await inEnvironment();
    expect(unclear.stderr).toContain("say for which environment: staging, prod want proof");
    expect(unclear.code).toBe(2);
    expect((await inEnvironment("--environment", "dev")).stderr).toContain("nothing has to be proven in dev");
    expect((await inEnvironment("--key", key())).stderr).toContain("--key and --config exclude each other");
  });

  it("trusts an identity whose certificate comes from an authority", async () => {
    const recording = recordingOf("cert-valid");
    const other = await RegistryServer.start(({ url }) => recordedAnswer(recording, url));
    const image = `${recording.image}@${recording.digest}`;
    const { subject, issuer } = recording.identity!;
    const ask = async (who: string) => {
      const by = ["--ca-file", file("ca.pem", recording.trustedCa!), "--certificate-identity", who];
      return await runCli(["verify", image, "--registry-url", other.address, ...by, "--certificate-issuer", issuer]);
    };
    expect((await ask(subject)).code).toBe(0);
    expect((await ask("somebody@example.com")).code).toBe(4);
    await other.close();
  });

  it("waits for a signature that comes later", async () => {
    const registry = await ImageRegistry.start("registry.example.com/shop/checkout");
    const signer: SigningKey = signingKey();
    const digest = registry.push("1.0", "first");
    const pub = file("later.pub", signer.publicKey);
    const args = ["--key", pub, "--provenance", "none", "--registry-url", registry.server.address, "--wait", "20s"];
    const answer = runCli(["verify", `${registry.repository}@${digest}`, ...args]);
    const asked = registry.server.asked;
    while (!asked.some(({ url }) => url.endsWith(".sig"))) await new Promise(setImmediate);
    registry.sign(digest, signer);
    expect((await answer).code).toBe(0);
    await registry.close();
  });
});

describe("gitspan deliveries get", () => {
  it("shows by whom the images were proven, and the API with what", async () => {
    const { ports, env, close } = await startServer();
    const evidence = [
      { what: "signature", where: "x.sig", signer: "key a", counts: true, says: "of this image" },
    ] as const;
    const image = { repository: chains.image, digest: chains.digest, signers: ["key a"], evidence: [...evidence] };
    ports.seed({ trust: { policies: ["p"], at: Date.UTC(2026, 0, 2), images: [image, image] } });
    const table = await runCli(["deliveries", "get", DELIVERY_ID], { env });
    expect(table.stdout.match(/^Proven by: +key a$/gm)).toHaveLength(1);
    const { stdout } = await runCli(["deliveries", "get", DELIVERY_ID, "-o", "json"], { env });
    expect(JSON.parse(stdout)).toMatchObject({ trust: { at: "2026-01-02T00:00:00.000Z", images: [image, image] } });
    await close();
  });
});

describe("gitspan verify cannot judge", () => {
  it.each([
    ["without anybody to trust", [], 2, "nobody is trusted"],
    ["a certificate of just anybody", ["--ca-file", "x"], 2, "--certificate-identity"],
    ["half a source", ["--key", "k", "--source-commit", "c"], 2, "--source-repository"],
    ["by a key that is not there", ["--key", "no-such-file"], 3, "no-such-file cannot be read"],
  ])("%s", async (_what, args, code, says) => {
    const result = await verify(CHAINS_IMAGE, ...args);
    expect(result.stderr).toContain(says);
    expect(result.code).toBe(code);
  });

  it.each(["registry.example.com/shop/checkout", "not an image", "a@sha256:1"])("%s", async (image) => {
    expect((await verify(image, "--key", key())).code).toBe(2);
  });

  it("what is not there", async () => {
    const result = await verify(`${chains.image}@sha256:${"0".repeat(64)}`, "--key", key());
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining("the registry has no") });
  });

  it("what nobody answers for", async () => {
    const result = await runCli(["verify", CHAINS_IMAGE, "--key", key(), "--registry-url", "http://127.0.0.1:1"]);
    expect(result.code).toBe(6);
  });

  it.each([
    ["a private key", "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n"],
    ["nothing", ""],
    ["a broken key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"],
  ])("by a file that holds %s", async (what, text) => {
    const result = await verify(CHAINS_IMAGE, "--key", file(`${what}.pub`, text));
    expect(result).toMatchObject({ code: 3, stderr: expect.stringContaining("is no public key in PEM form") });
  });
});
