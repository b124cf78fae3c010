import type { ApplicationSnapshot, Inspection } from "../model/application.ts";

/** Workloads name images of `mirror` where the Git repository says `original`; both without tag and digest, or a part of that before a `/`. */
export interface ImageAlias {
  mirror: string;
  original: string;
}

/** Reads what a cluster tells of images as if no mirror stood in between, so that everything compares the names that Git has. */
export class ImageAliases {
  readonly #aliases: readonly ImageAlias[];

  constructor(aliases: readonly ImageAlias[]) {
    // The longest first: the alias of one repository counts before that of its registry.
    this.#aliases = aliases.toSorted((a, b) => b.mirror.length - a.mirror.length);
  }

  snapshot(snapshot: ApplicationSnapshot): ApplicationSnapshot {
    if (this.#aliases.length === 0) return snapshot;
    const { operation, summaryImages } = snapshot;
    return {
      ...snapshot,
      summaryImages: this.#all(summaryImages),
      ...(operation && { operation: { ...operation, images: this.#all(operation.images) } }),
    };
  }

  inspection(inspection: Inspection): Inspection {
    if (this.#aliases.length === 0) return inspection;
    const { pods, health } = inspection;
    return {
      ...inspection,
      ...(pods && { pods: pods.map((pod) => ({ ...pod, images: this.#all(pod.images) })) }),
      ...(health && { health: health.map((one) => ({ ...one, images: this.#all(one.images) })) }),
    };
  }

  #all(images: readonly string[]): string[] {
    return images.map((image) => this.#original(image));
  }

  #original(image: string): string {
    const alias = this.#aliases.find(
      ({ mirror }) =>
        image.startsWith(mirror) && (image.length === mirror.length || /[/:@]/.test(image[mirror.length] ?? "")),
    );
    return alias === undefined ? image : `${alias.original}${image.slice(alias.mirror.length)}`;
  }
}
