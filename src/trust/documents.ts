import { z } from "zod";
import { isGitspanError } from "../model/errors.ts";
import type { Digest } from "../model/image.ts";
import { isDigest } from "../model/image.ts";
import { type BrokenDocument, readBundle, readEnvelope, readPayload, type SignedDocument } from "./document.ts";
import { type Content, MAX_MANIFEST_BYTES, type Registry } from "./registry.ts";

const descriptor = z.object({
  mediaType: z.string().default(""),
  digest: z.string().refine(isDigest),
  size: z.number().nonnegative(),
  annotations: z.record(z.string(), z.string()).nullish(),
});
const manifest = z.object({
  layers: z.array(descriptor).default([]),
  subject: z.object({ digest: z.string() }).nullish(),
});
const index = z.object({ manifests: z.array(descriptor).default([]) });

type Descriptor = z.output<typeof descriptor>;

/** Of one image: beyond this somebody floods the repository, and what is there is not read. */
const MAX_DOCUMENTS = 64;
/** A provenance with all tasks and results of a large pipeline is some 100 kB. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
const MAX_ALL_BYTES = 16 * 1024 * 1024;

export interface FoundDocuments {
  signed: SignedDocument[];
  broken: BrokenDocument[];
}

/**
 * All that claims to be signed about a digest, in every place where cosign and Tekton Chains put it: the tags
 * `sha256-HEX.sig` and `.att`, the referrers of the image, and the tag `sha256-HEX` where a registry has no referrers
 * (OCI distribution 1.1, "Referrers Tag Schema"). What is malformed, too large or not what it should be is `broken`;
 * rejects only when the registry does not answer.
 */
export async function findDocuments(
  registry: Registry,
  image: { path: string; digest: Digest },
  signal: AbortSignal,
): Promise<FoundDocuments> {
  const search = new Search(registry, image, signal);
  const tag = image.digest.replace(":", "-");
  await Promise.all([search.tag(`${tag}.sig`), search.tag(`${tag}.att`), search.referrers(tag)]);
  // In one order, however fast each of them came: what is said of them must not change from look to look.
  const inOrder = (a: { where: string }, b: { where: string }) => (a.where < b.where ? -1 : 1);
  return { signed: search.found.signed.toSorted(inOrder), broken: search.found.broken.toSorted(inOrder) };
}

class Search {
  readonly found: FoundDocuments = { signed: [], broken: [] };
  readonly #registry: Registry;
  readonly #image: { path: string; digest: Digest };
  readonly #signal: AbortSignal;
  #count = 0;
  #bytes = 0;

  constructor(registry: Registry, image: { path: string; digest: Digest }, signal: AbortSignal) {
    this.#registry = registry;
    this.#image = image;
    this.#signal = signal;
  }

  async tag(name: string): Promise<void> {
    const content = await this.#orBroken(name, () => this.#byTag(name));
    if (content === undefined) return;
    const parsed = manifest.safeParse(jsonOf(content.bytes));
    if (parsed.success) await this.#layers(name, parsed.data.layers);
    else this.#broken(name, "it is no manifest");
  }

  async referrers(fallbackTag: string): Promise<void> {
    const listed = (await this.#listed()) ?? (await this.#orBroken(fallbackTag, () => this.#byTag(fallbackTag)))?.bytes;
    if (listed === undefined) return;
    const parsed = index.safeParse(jsonOf(listed));
    if (!parsed.success) return this.#broken("referrers", "it is no index");
    const { manifests } = parsed.data;
    if (manifests.length > MAX_DOCUMENTS) this.#broken("referrers", `it lists more than ${MAX_DOCUMENTS}`);
    await Promise.all(manifests.slice(0, MAX_DOCUMENTS).map(({ digest }) => this.#referrer(digest)));
  }

  /** Undefined where the registry has no referrers: it says so with 404, or in its own way. */
  async #listed(): Promise<Buffer | undefined> {
    try {
      return await this.#registry.referrers(this.#image.path, this.#image.digest, this.#signal);
    } catch (error) {
      if (isGitspanError(error, "registry-protocol")) return undefined;
      throw error;
    }
  }

  /** The list says little and is not to be believed: each manifest names its subject itself. */
  async #referrer(digest: Digest): Promise<void> {
    const bytes = await this.#read({ kind: "manifests", digest, maxBytes: MAX_MANIFEST_BYTES }, digest);
    if (bytes === undefined) return;
    const parsed = manifest.safeParse(jsonOf(bytes));
    if (!parsed.success) return this.#broken(digest, "it is no manifest");
    const { subject, layers } = parsed.data;
    if (subject?.digest === this.#image.digest) return await this.#layers(digest, layers);
    this.#broken(digest, "it is about another image");
  }

  async #layers(where: string, layers: readonly Descriptor[]): Promise<void> {
    await Promise.all(layers.map((layer) => this.#layer(`${where} ${layer.digest.slice(0, 19)}`, layer)));
  }

  async #layer(where: string, { mediaType, digest, size, annotations }: Descriptor): Promise<void> {
    const read = readerOf(mediaType);
    if (read === undefined) return;
    if (size > MAX_DOCUMENT_BYTES) return this.#broken(where, `it is larger than ${MAX_DOCUMENT_BYTES} bytes`);
    this.#bytes += size;
    if (++this.#count > MAX_DOCUMENTS || this.#bytes > MAX_ALL_BYTES) return this.#broken(where, "there are too many");
    const bytes = await this.#read({ kind: "blobs", digest, maxBytes: size }, where);
    if (bytes === undefined) return;
    const document = read(where, bytes, annotations ?? {});
    if ("why" in document) this.found.broken.push(document);
    else this.found.signed.push(document);
  }

  async #byTag(name: string): Promise<Content | undefined> {
    return await this.#registry.manifestOf(this.#image.path, name, this.#signal);
  }

  async #read(wanted: Parameters<Registry["content"]>[1], where: string): Promise<Buffer | undefined> {
    return await this.#orBroken(where, async () => {
      const bytes = await this.#registry.content(this.#image.path, wanted, this.#signal);
      if (bytes === undefined) this.#broken(where, "the registry does not have it");
      return bytes;
    });
  }

  /** A registry that lies about one document must not keep the others from being read. */
  async #orBroken<T>(where: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!isGitspanError(error, "registry-protocol")) throw error;
      this.#broken(where, error.message);
      return undefined;
    }
  }

  #broken(where: string, why: string): void {
    this.found.broken.push({ where, why });
  }
}

function readerOf(mediaType: string) {
  if (mediaType === "application/vnd.dev.cosign.simplesigning.v1+json") return readPayload;
  if (mediaType === "application/vnd.dsse.envelope.v1+json") return readEnvelope;
  return mediaType.startsWith("application/vnd.dev.sigstore.bundle") ? readBundle : undefined;
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
