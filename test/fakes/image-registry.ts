import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { Digest } from "../../src/model/image.ts";
import { digestOf } from "../../src/trust/registry.ts";
import { RegistryServer } from "./registry-server.ts";

const DSSE = "application/vnd.dsse.envelope.v1+json";
const SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json";
const BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json";
const IN_TOTO = "application/vnd.in-toto+json";

export interface SigningKey {
  privateKey: KeyObject;
  /** PEM */
  publicKey: string;
}

export function signingKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { privateKey, publicKey: publicKey.export({ type: "spki", format: "pem" }).toString() };
}

interface Layer {
  mediaType: string;
  bytes: Buffer;
  annotations?: Record<string, string>;
  /** What the manifest says of it, where that is not so. */
  size?: number;
}

/** A registry of one repository over HTTP, without referrers; signatures lie where Tekton Chains puts them. */
export class ImageRegistry {
  readonly repository: string;
  readonly server: RegistryServer;
  readonly #path: string;
  readonly #content = new Map<string, Buffer>();
  readonly #tags = new Map<string, Buffer>();
  readonly #layers = new Map<string, Layer[]>();
  readonly #referrers = new Map<Digest, { size: number; digest: Digest }[]>();

  private constructor(server: RegistryServer, repository: string) {
    this.server = server;
    this.repository = repository;
    this.#path = repository.slice(repository.indexOf("/") + 1);
    server.respond = ({ url }) => {
      const [, kind, name] = new RegExp(`^/v2/${this.#path}/(manifests|blobs)/([^/?]+)$`).exec(url) ?? [];
      const body =
        kind === undefined || name === undefined ? undefined : (this.#content.get(name) ?? this.#tags.get(name));
      return body && { status: 200, body };
    };
  }

  static async start(repository: string): Promise<ImageRegistry> {
    return new ImageRegistry(await RegistryServer.start(() => undefined), repository);
  }

  push(tag: string, content: string): Digest {
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [], annotations: { content } }));
    this.#tags.set(tag, manifest);
    return this.#store(manifest);
  }

  remove(digest: Digest): void {
    this.#content.delete(digest);
  }

  /** `signed` is what the signature is really of. */
  sign(digest: Digest, key: SigningKey, signed: Digest = digest): void {
    const critical = {
      type: "cosign container image signature",
      identity: { "docker-reference": this.repository },
      image: { "docker-manifest-digest": signed },
    };
    const bytes = Buffer.from(JSON.stringify({ critical, optional: null }));
    const signature = sign(null, bytes, key.privateKey).toString("base64");
    const annotations = { "dev.cosignproject.cosign/signature": signature };
    this.addLayer(digest, ".sig", { mediaType: SIMPLE_SIGNING, bytes, annotations });
  }

  /** A PipelineRun's provenance in SLSA 1.0. */
  attest(digest: Digest, key: SigningKey, said: { source: { repository: string; commit: string }; run: string }): void {
    const statement = {
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: this.repository, digest: { sha256: digest.slice(7) } }],
      predicateType: "https://slsa.dev/provenance/v1",
      predicate: {
        buildDefinition: {
          buildType: "https://tekton.dev/chains/v2/slsa",
          externalParameters: { runSpec: { pipelineRef: { name: "build" } } },
          resolvedDependencies: [
            { name: "inputs/result", uri: `git+${said.source.repository}`, digest: { sha1: said.source.commit } },
          ],
        },
        runDetails: {
          builder: { id: "https://tekton.dev/chains/v2" },
          metadata: { invocationId: said.run, finishedOn: "2026-01-31T12:00:00Z" },
        },
      },
    };
    this.envelope(digest, key, statement);
  }

  /** Any statement as a signed attestation. */
  envelope(digest: Digest, key: SigningKey, statement: unknown): void {
    const payload = Buffer.from(JSON.stringify(statement));
    const signed = Buffer.concat([Buffer.from(`DSSEv1 ${IN_TOTO.length} ${IN_TOTO} ${payload.length} `), payload]);
    const sig = sign(null, signed, key.privateKey).toString("base64");
    const envelope = { payloadType: IN_TOTO, payload: payload.toString("base64"), signatures: [{ sig }] };
    this.addLayer(digest, ".att", { mediaType: DSSE, bytes: Buffer.from(JSON.stringify(envelope)) });
  }

  addLayer(digest: Digest, suffix: ".sig" | ".att", layer: Layer): void {
    const tag = `${digest.replace(":", "-")}${suffix}`;
    const layers = [...(this.#layers.get(tag) ?? []), layer];
    this.#layers.set(tag, layers);
    const described = layers.map(({ mediaType, bytes, annotations, size = bytes.length }) => ({
      mediaType,
      size,
      digest: this.#store(bytes),
      ...(annotations && { annotations }),
    }));
    this.#tags.set(tag, Buffer.from(JSON.stringify({ schemaVersion: 2, layers: described })));
  }

  /** A Sigstore bundle that refers to the image, listed under the tag that stands for a list of referrers. */
  attach(digest: Digest, bundle: unknown, subject: Digest = digest): void {
    const bytes = Buffer.from(JSON.stringify(bundle));
    const layer = { mediaType: BUNDLE, size: bytes.length, digest: this.#store(bytes) };
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, layers: [layer], subject: { digest: subject } }));
    const referrers = [
      ...(this.#referrers.get(digest) ?? []),
      { size: manifest.length, digest: this.#store(manifest) },
    ];
    this.#referrers.set(digest, referrers);
    this.#tags.set(digest.replace(":", "-"), Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: referrers })));
  }

  /** Whatever lies under a tag. */
  put(tag: string, bytes: Buffer): void {
    this.#tags.set(tag, bytes);
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  #store(bytes: Buffer): Digest {
    const digest = digestOf(bytes);
    this.#content.set(digest, bytes);
    return digest;
  }
}
