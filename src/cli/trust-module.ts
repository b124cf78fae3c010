import type { RawRegistry, RawTrustPolicy } from "../config/schema-trust.ts";
import type { ImageReference } from "../model/image.ts";
import type { TrustDecision } from "../model/trust.ts";

export interface VerifyRequest {
  /** A tag is taken for the digest that it names now. */
  image: ImageReference;
  /** Whose policy counts: an environment of a configuration, or words as in `trust`, with paths from here. */
  by:
    | { configFile: string; environment: string | undefined }
    | { policy: RawTrustPolicy; registry: RawRegistry; from: (path: string) => string };
  /** What the provenance has to say; what is absent is not compared. */
  source: { repository: string; commit: string } | undefined;
  run: { uid: string } | undefined;
  waitMs: number;
}

export interface Verified extends TrustDecision {
  image: ImageReference;
}

/** The part of the program that knows registries and signatures. */
export interface TrustModule {
  /** Errors: `usage`, `config-...`, `not-found` for an image that is not there, those of a registry. */
  verifyImage(request: VerifyRequest, signal: AbortSignal): Promise<Verified>;
}
