import type { ImageValue } from "../model/delivery.ts";
import type { DigestPolicy, KustomizePlace, Place } from "../model/target.ts";
import type { EditResult } from "./change.ts";
import { editFilePlace, holdsFilePlace, readFilePlace } from "./file-editor.ts";
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

export function editorOf(place: Place, policy?: DigestPolicy): Editor {
  if (place.format === "kustomize") return kustomize(place, policy);
  return {
    paths: [place.file],
    edit: (text, intents, file) => editFilePlace(place, text, intents, { file, policy }),
    read: (text, repository, file) => readFilePlace(place, text, repository, file),
    holds: (text, image) => holdsFilePlace(place, text, imageIntent(image), policy),
  };
}

// sigs.k8s.io/kustomize/api/konfig/general.go, RecognizedKustomizationFileNames
const KUSTOMIZATION_NAMES = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

function kustomize({ directory, add }: KustomizePlace, policy: DigestPolicy | undefined): Editor {
  return {
    paths: KUSTOMIZATION_NAMES.map((name) => (directory === "" ? name : `${directory}/${name}`)),
    edit: (text, intents, file) => editKustomizeImages(text, intents, file, { policy, add }),
    read: (text, repository, file) => {
      const found = readKustomizeImage(text, repository, file);
      return found && { repository: found.newName ?? repository, tag: found.newTag, digest: found.digest };
    },
    holds: (text, image) => holdsKustomizeImage(text, image, { policy }),
  };
}
