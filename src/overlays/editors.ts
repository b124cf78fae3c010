import type { ImageValue } from "../model/delivery.ts";
import type { Place } from "../model/target.ts";
import type { EditResult } from "./change.ts";
import type { ImageIntent } from "./intents.ts";
import {
  editKustomizeImages,
  holdsKustomizeImage,
  type KustomizeImage,
  type KustomizeOptions,
  readKustomizeImage,
} from "./kustomize-images.ts";

/** One format's way to write images. All of it is pure: text in, text out. */
export interface Editor {
  /** Names a file may have in the place's folder, in the order in which they are looked for; exactly one must exist. */
  fileNames: readonly string[];
  /** All intents or none; what comes back has been proven. Throws the `edit-...` errors with file, line and column. */
  edit(text: string, intents: readonly ImageIntent[], file: string, options?: KustomizeOptions): EditResult;
  /** The values that stand there now; `undefined` when none do, or not certainly. Throws `edit-parse`, `edit-too-large`. */
  read(text: string, repository: string, file?: string): KustomizeImage | undefined;
  /** True when writing the image would change nothing. Never throws for what a file may contain. */
  holds(text: string, image: ImageValue, options?: KustomizeOptions): boolean;
}

export const editors: Record<Place["format"], Editor> = {
  kustomize: {
    // sigs.k8s.io/kustomize/api/konfig/general.go, RecognizedKustomizationFileNames
    fileNames: ["kustomization.yaml", "kustomization.yml", "Kustomization"],
    edit: editKustomizeImages,
    read: readKustomizeImage,
    holds: holdsKustomizeImage,
  },
};
