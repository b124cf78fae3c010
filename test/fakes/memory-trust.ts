import type { Trust } from "../../src/delivery/ports.ts";
import type { Digest } from "../../src/model/image.ts";
import { isSameRepository } from "../../src/model/repository-url.ts";
import type { TrustDecision, TrustQuestion } from "../../src/model/trust.ts";

/** What somebody who counts has said of an image. */
export interface Said {
  source: { repository: string; commit: string };
  run: string;
}

interface KnownImage {
  tags: Set<string>;
  isSigned: boolean;
  said: Said[];
}

/** Registries and signatures as plain maps, without keys: what is said here was said by `key test`. */
export class MemoryTrust implements Trust {
  readonly #hosts: ReadonlySet<string>;
  readonly #images = new Map<string, KnownImage>();
  /** Thrown instead of every answer. */
  failure: unknown;

  constructor(hosts: readonly string[] = []) {
    this.#hosts = new Set(hosts);
  }

  push(repository: string, tag: string, digest: Digest): void {
    for (const [name, { tags }] of this.#images) if (name.startsWith(`${repository}@`)) tags.delete(tag);
    this.#at(repository, digest).tags.add(tag);
  }

  sign(repository: string, digest: Digest): void {
    this.#at(repository, digest).isSigned = true;
  }

  attest(repository: string, digest: Digest, said: Said): void {
    this.#at(repository, digest).said.push(said);
  }

  remove(repository: string, digest: Digest): void {
    this.#images.delete(`${repository}@${digest}`);
  }

  covers(repository: string): boolean {
    return this.#hosts.has(repository.split("/")[0] ?? "");
  }

  async digestOf({ repository, tag }: { repository: string; tag: string }): Promise<Digest | undefined> {
    if (this.failure !== undefined) throw this.failure;
    const found = [...this.#images].find(([name, { tags }]) => name.startsWith(`${repository}@`) && tags.has(tag));
    return found?.[0].slice(repository.length + 1) as Digest | undefined;
  }

  async absenceOf({ repository, digest }: { repository: string; digest: Digest }): Promise<string | undefined> {
    if (this.failure !== undefined) throw this.failure;
    return this.#images.has(`${repository}@${digest}`) ? undefined : `the registry has no ${repository}@${digest}`;
  }

  async decide({ image, policy, source, run }: TrustQuestion): Promise<TrustDecision> {
    if (this.failure !== undefined) throw this.failure;
    const known = this.#images.get(`${image.repository}@${image.digest}`);
    const isSigned = !policy.signature || known?.isSigned === true;
    const isProven =
      policy.provenance === "none" ||
      known?.said.some(
        (said) =>
          (!policy.matchRun || run === undefined || said.run === run.uid) &&
          (!policy.matchSource ||
            source === undefined ||
            (said.source.commit === source.commit && isSameRepository(said.source.repository, source.repository))),
      ) === true;
    const missing = [...(isSigned ? [] : ["there is no signature"]), ...(isProven ? [] : ["no provenance counts"])];
    const proven = missing.length === 0;
    const evidence = { what: "provenance", where: "memory", signer: "key test", counts: proven, says: "said" } as const;
    return {
      proven,
      message: proven ? "signature by key test" : missing.join("; "),
      signers: proven ? ["key test"] : [],
      evidence: known === undefined ? [] : [evidence],
    };
  }

  #at(repository: string, digest: Digest): KnownImage {
    const name = `${repository}@${digest}`;
    const known = this.#images.get(name) ?? { tags: new Set(), isSigned: false, said: [] };
    this.#images.set(name, known);
    return known;
  }
}
