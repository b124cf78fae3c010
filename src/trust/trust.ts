import type { Clock } from "../model/ambient.ts";
import { GitspanError, isGitspanError } from "../model/errors.ts";
import type { Digest } from "../model/image.ts";
import { locateImage } from "../model/image-location.ts";
import type { TrustDecision, TrustQuestion } from "../model/trust.ts";
import { decide } from "./decide.ts";
import { type FoundDocuments, findDocuments } from "./documents.ts";
import { Recent } from "./recent.ts";
import { MAX_MANIFEST_BYTES, Registry, type RegistryOptions, type RequestResult } from "./registry.ts";
import { type ReadFile, signersOf } from "./signers.ts";

export interface TrustDeps {
  clock: Clock;
  readFile: ReadFile;
  /** Called for every request to a registry. */
  counted: (result: RequestResult) => void;
}

/** Long enough for all targets of one build, short enough for a signature that comes late. */
const RECENT = { ms: 2_000, entries: 100 };

/** What the configured registries, and signatures in them, say of images. No other registry is ever asked. */
export class RegistryTrust {
  readonly #deps: TrustDeps;
  readonly #registries: ReadonlyMap<string, Registry>;
  readonly #documents: Recent<FoundDocuments>;
  readonly #absences: Recent<string | undefined>;

  constructor(deps: TrustDeps, registries: readonly RegistryOptions[]) {
    this.#deps = deps;
    this.#registries = new Map(registries.map((options) => [options.host, new Registry(deps, options)]));
    this.#documents = new Recent(deps.clock, RECENT);
    this.#absences = new Recent(deps.clock, RECENT);
  }

  /** Whether the image's registry is configured. */
  covers(repository: string): boolean {
    return this.#registries.has(locateImage(repository).host);
  }

  /** The digest that a tag names now, of the index where there is one; undefined when there is no such tag. */
  async digestOf(image: { repository: string; tag: string }, signal: AbortSignal): Promise<Digest | undefined> {
    const { registry, path } = this.#find(image.repository);
    return (await registry.manifestOf(path, image.tag, signal))?.digest;
  }

  /** Why the image is not there, as a sentence; undefined when it is. */
  async absenceOf(image: { repository: string; digest: Digest }, signal: AbortSignal): Promise<string | undefined> {
    const { repository, digest } = image;
    const { registry, path } = this.#find(repository);
    return await this.#absences.get(`${repository}@${digest}`, async () => {
      try {
        const wanted = { kind: "manifests", digest, maxBytes: MAX_MANIFEST_BYTES } as const;
        const bytes = await registry.content(path, wanted, signal);
        return bytes === undefined ? `the registry has no ${repository}@${digest}` : undefined;
      } catch (error) {
        if (isGitspanError(error, "registry-protocol")) return error.message;
        throw error;
      }
    });
  }

  /** What is proven of the image now. */
  async decide(question: TrustQuestion, signal: AbortSignal): Promise<TrustDecision> {
    const { repository, digest } = question.image;
    const { registry, path } = this.#find(repository);
    const signerOf = await signersOf(question.policy, this.#deps.readFile, question.now);
    const found = await this.#documents.get(`${repository}@${digest}`, () =>
      findDocuments(registry, { path, digest }, signal),
    );
    return decide(question, found, signerOf);
  }

  close(): void {
    for (const registry of this.#registries.values()) registry.close();
  }

  #find(repository: string): { registry: Registry; path: string } {
    const { host, path } = locateImage(repository);
    const registry = this.#registries.get(host);
    if (registry !== undefined) return { registry, path };
    throw new GitspanError("config-invalid", `the registry ${host} is not configured`, {
      hint: `Add ${host} to \`registries\`.`,
    });
  }
}
