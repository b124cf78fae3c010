import type { ImageValue } from "../model/delivery.ts";
import type { HelmPlace, KustomizePlace, Place } from "../model/target.ts";
import type { EditResult } from "./change.ts";
import { editHelmValues, holdsHelmValues, readHelmValues } from "./helm-values.ts";
import type { ReferenceText } from "./image-text.ts";
import { type ImageIntent, imageIntent } from "./intents.ts";
import { editKustomizeImages, holdsKustomizeImage, readKustomizeImage } from "./kustomize-images.ts";

/** How the images of one place are written and read. All of it is pure: text in, text out. */
export interface Editor {
  /** Paths that the place's file may have, in the order in which they are looked for; exactly one must exist. */
  paths: readonly string[];
  /** All intents or none; what comes back has been proven. Throws the `edit-...` errors with file, line and column. */
  edit(text: string, intents: readonly ImageIntent[], file: string): EditResult;
  /**
   * The image as workloads will name it, from the values that stand there now; `undefined` when none do, or not
   * certainly. Throws `edit-parse`, `edit-too-large`.
   */
  read(text: string, repository: string, file?: string): ReferenceText | undefined;
  /** True when writing the image would change nothing. Never throws for what a file may contain. */
  holds(text: string, image: ImageValue): boolean;
}

export function editorOf(place: Place): Editor {
  switch (place.format) {
    case "kustomize":
      return kustomize(place);
    case "helm":
      return helm(place);
  }
}

// sigs.k8s.io/kustomize/api/konfig/general.go, RecognizedKustomizationFileNames
const KUSTOMIZATION_NAMES = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

function kustomize({ directory }: KustomizePlace): Editor {
  return {
    paths: KUSTOMIZATION_NAMES.map((name) => (directory === "" ? name : `${directory}/${name}`)),
    edit: editKustomizeImages,
    read: (text, repository, file) => {
      const found = readKustomizeImage(text, repository, file);
      return found && { repository: found.newName ?? repository, tag: found.newTag, digest: found.digest };
    },
    holds: holdsKustomizeImage,
  };
}

function helm(place: HelmPlace): Editor {
  return {
    paths: [place.file],
    edit: (text, intents, file) => editHelmValues(place, text, intents, file),
    read: (text, repository, file) => readHelmValues(place, text, repository, file),
    holds: (text, image) => holdsHelmValues(place, text, imageIntent(image)),
  };
}
